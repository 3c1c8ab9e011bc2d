import type { Nameable } from '../references.ts';

export const routeTableType = 'Microsoft.Network/routeTables';

export interface RouteTableProperties {
  /** Kept as sent: no gateway brings routes here. */
  readonly disableBgpRoutePropagation: boolean;
}

export interface RouteTableState {
  readonly guid: string;
}

export const routeTable: Nameable = {
  type: routeTableType,
  noun: 'route table',
  action: 'Microsoft.Network/routeTables/join/action',
};
