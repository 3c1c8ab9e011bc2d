/**
 * A route table of the user's, as a table of the kernel's that the packets of its subnets' interfaces are looked up in
 * before the network's own. The longest prefix decides; of equals, the user's route.
 */
import { containsPrefix } from '../lib/ip.ts';
import { mergePrefixes, toPrefix } from './intervals.ts';
import { notInternet } from './ranges.ts';
import type { Route } from './security-rules.ts';

/** What the system's own routes lead to, and where the user's may. */
export interface RoutingWorld {
  /** The network's own address space. */
  readonly prefixes: readonly string[];
  /** Address spaces of its peers. */
  readonly peers: readonly string[];
  /** Addresses of private endpoints: nothing overrides the way to one. */
  readonly endpoints: readonly string[];
  /** Machines that may stand between others, by address; null while one does not run. */
  readonly appliances: ReadonlyMap<string, string | null>;
  readonly internet: { readonly gateway: string; readonly device: string } | null;
}

/** What an appliance's route falls back to when its cable is gone: never the way around it. */
const lastMetric = 9999;

/** `throw`: the network's own routes decide. */
export function routeTableLines(
  number: number,
  routes: readonly Route[],
  world: RoutingWorld,
): readonly string[] {
  const endpoints = mergePrefixes(world.endpoints);
  const user = routes
    .map((route) => ({ ...route, prefix: mergePrefixes([route.prefix])[0]! }))
    .filter(({ prefix }) => !endpoints.includes(prefix));
  const taken = new Set(user.map(({ prefix }) => prefix));
  const system = [...new Set([...world.prefixes, ...world.peers, ...notInternet, ...endpoints])];
  return [
    ...user.flatMap((route) =>
      userRoute(route, world).map((line) => line.replace('TABLE', `table ${number}`)),
    ),
    ...system
      .filter((prefix) => !taken.has(prefix))
      .map((prefix) => `throw ${destination(prefix)} table ${number}`),
  ];
}

function userRoute({ prefix, nextHopType, nextHopAddress }: Route, world: RoutingWorld): readonly string[] {
  const to = destination(prefix);
  const nowhere = `blackhole ${to} TABLE`;
  switch (nextHopType) {
    case 'VnetLocal':
      return world.prefixes.some((own) => containsPrefix(toPrefix(own), toPrefix(prefix)))
        ? [`throw ${to} TABLE`]
        : [nowhere];
    case 'Internet':
      return world.internet
        ? [`${to} via ${world.internet.gateway} dev ${world.internet.device} TABLE`]
        : [nowhere];
    case 'VirtualAppliance': {
      const device = world.appliances.get(nextHopAddress ?? '') ?? null;
      const fallback = `${nowhere} metric ${lastMetric}`;
      return device === null
        ? [fallback]
        : [`${to} via ${nextHopAddress} dev ${device} onlink TABLE`, fallback];
    }
    // There is no gateway here: what is sent to one is lost, as where Azure has none.
    case 'VirtualNetworkGateway':
    case 'None':
      return [nowhere];
  }
}

const destination = (prefix: string): string => (prefix === '0.0.0.0/0' ? 'default' : prefix);
