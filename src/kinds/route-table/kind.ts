/** A route table: where a subnet's packets go, over the routes that the platform has by itself. */
import { randomUUID } from 'node:crypto';
import type { Kind } from '../../arm/kind.ts';
import { childrenOf, readChildren, writeChildren } from '../children.ts';
import { fields } from '../fields.ts';
import { showRoute } from '../route/kind.ts';
import { checkRoutes, readRoute, routeType, type RouteProperties } from '../route/schema.ts';
import { accepted, networkName } from '../rules.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { showSubnets, usersAmongSubnets } from '../users.ts';
import { routeTableType, type RouteTableProperties, type RouteTableState } from './schema.ts';

export const routeTableKind: Kind<RouteTableProperties, RouteTableState> = {
  type: routeTableType,
  summary: 'A route table: where the packets of subnets go.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, { store }) {
    const body = fields(request.properties);
    const present = existing ? childrenOf<RouteProperties>(store, routeType, existing.id) : [];
    const wanted = readChildren(body, 'routes', 'route', present, readRoute);
    const properties = {
      disableBgpRoutePropagation:
        body.flag('disableBgpRoutePropagation') ?? existing?.properties.disableBgpRoutePropagation ?? false,
    };
    let touched = false;
    if (wanted) {
      checkRoutes(wanted);
      touched = writeChildren(store, existing?.id ?? request.id.text, routeType, present, wanted);
    }
    return accepted(existing, properties, existing?.state ?? { guid: randomUUID() }, { touched });
  },

  show: (table, { store }) => ({
    provisioningState: table.provisioningState,
    resourceGuid: table.state.guid,
    disableBgpRoutePropagation: table.properties.disableBgpRoutePropagation,
    routes: store.list<RouteProperties, Record<string, never>>(routeType, table.id).map((route) => ({
      id: route.id,
      name: route.name,
      etag: route.etag,
      type: routeType,
      properties: showRoute(route),
    })),
    subnets: showSubnets(store, table).map(({ id }) => ({ id })),
  }),
  envelope: (table) => ({ etag: table.etag }),

  beforeDelete(table, { store }) {
    const users = usersAmongSubnets(store, table);
    if (users.length > 0) refuseInUse(`Route table '${table.name}'`, users);
  },
};
