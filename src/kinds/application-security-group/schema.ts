import type { Nameable } from '../references.ts';

export const applicationGroupType = 'Microsoft.Network/applicationSecurityGroups';

export type ApplicationGroupProperties = Record<string, never>;

export interface ApplicationGroupState {
  readonly guid: string;
}

const nameable = (action: string): Nameable => ({
  type: applicationGroupType,
  noun: 'application security group',
  action: `${applicationGroupType}/${action}`,
});

/** An interface joins, and a rule names: each takes a right of its own. */
export const groupOfInterface = nameable('joinIpConfiguration/action');
export const groupInRule = nameable('joinNetworkSecurityRule/action');
