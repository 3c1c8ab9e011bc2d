import { isIPv4 } from 'node:net';
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import { formatPrefix, parsePrefix } from '../../lib/ip.ts';
import { nextHopTypes, type NextHopType, type Route } from '../../network/security-rules.ts';
import type { Resource } from '../../store/resource.ts';
import type { Child } from '../children.ts';
import type { Fields } from '../fields.ts';

export const routeType = 'Microsoft.Network/routeTables/routes';

export interface RouteProperties {
  /** Canonical IPv4 prefix. */
  readonly addressPrefix: string;
  readonly nextHopType: NextHopType;
  /** Of VirtualAppliance alone. */
  readonly nextHopIpAddress?: string;
}

export type RouteResource = Resource<RouteProperties, Record<string, never>>;

export function readRoute(body: Fields, now: RouteProperties | undefined): RouteProperties {
  const text = body.text('addressPrefix') ?? now?.addressPrefix;
  if (text === undefined)
    return body.fail('addressPrefix', 'is missing: say which destinations the route is for.');
  const prefix = parsePrefix(text);
  if (!prefix)
    return body.fail(
      'addressPrefix',
      `'${text}' is no IPv4 prefix. Write it like 10.0.2.0/24, with no bit set behind the prefix length; tags are not routed here.`,
    );
  const nextHopType =
    body.choice('nextHopType', nextHopTypes) ??
    now?.nextHopType ??
    body.fail('nextHopType', `is missing: one of ${nextHopTypes.join(', ')}.`);
  const hop = body.text('nextHopIpAddress') || undefined;
  if (nextHopType !== 'VirtualAppliance') {
    if (hop !== undefined)
      return body.fail(
        'nextHopIpAddress',
        `is for VirtualAppliance alone; the route leads to ${nextHopType}.`,
      );
    return { addressPrefix: formatPrefix(prefix), nextHopType };
  }
  const nextHopIpAddress = hop ?? now?.nextHopIpAddress;
  if (nextHopIpAddress === undefined)
    return body.fail('nextHopIpAddress', 'is missing: the address of the virtual appliance.');
  if (!isIPv4(nextHopIpAddress))
    return body.fail('nextHopIpAddress', `'${nextHopIpAddress}' is no IPv4 address.`);
  return { addressPrefix: formatPrefix(prefix), nextHopType, nextHopIpAddress };
}

export const mostRoutes = 400;

/** Refuses two routes for one prefix: which of them leads would be chance. */
export function checkRoutes(routes: readonly Child<RouteProperties>[]): void {
  if (routes.length > mostRoutes) {
    throw new ArmError(
      'InvalidParameter',
      `A table has at most ${mostRoutes} routes; this would make ${routes.length}.`,
      {
        target: 'properties.routes',
      },
    );
  }
  for (const [at, route] of routes.entries()) {
    const { addressPrefix } = route.properties;
    const other = routes
      .slice(0, at)
      .find(
        ({ name, properties }) => properties.addressPrefix === addressPrefix && !sameId(name, route.name),
      );
    if (!other) continue;
    throw new ArmError(
      'InvalidParameter',
      `Routes '${other.name}' and '${route.name}' are both for ${addressPrefix}. A table has one route for a prefix: change one, or leave it out.`,
      { target: 'properties.addressPrefix' },
    );
  }
}

/** A stored route in the terms of the network. */
export const toRoute = (name: string, route: RouteProperties): Route => ({
  name,
  prefix: route.addressPrefix,
  nextHopType: route.nextHopType,
  nextHopAddress: route.nextHopIpAddress ?? null,
});
