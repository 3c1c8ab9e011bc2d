/** One route of a route table. It may be made by itself, or within a PUT of its table. */
import { parentOf, sameId } from '../../arm/id.ts';
import type { Kind } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { childrenOf } from '../children.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { checkRoutes, readRoute, routeType, type RouteProperties, type RouteResource } from './schema.ts';

export const routeKind: Kind<RouteProperties, Record<string, never>> = {
  type: routeType,
  summary: 'A route of a route table.',
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, { store }) {
    const route = {
      name: existing?.name ?? request.id.name,
      properties: readRoute(fields(request.properties), existing?.properties),
    };
    const others = childrenOf<RouteProperties>(store, routeType, parentOf(request.id)!).filter(
      ({ name }) => !sameId(name, route.name),
    );
    checkRoutes([...others, route]);
    return accepted(existing, route.properties, {});
  },

  show: showRoute,
  envelope: (route) => ({ etag: route.etag }),
};

export function showRoute({ properties, provisioningState }: RouteResource): JsonObject {
  return {
    provisioningState,
    addressPrefix: properties.addressPrefix,
    nextHopType: properties.nextHopType,
    ...(properties.nextHopIpAddress && { nextHopIpAddress: properties.nextHopIpAddress }),
    hasBgpOverride: false,
  };
}
