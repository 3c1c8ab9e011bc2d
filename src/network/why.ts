/**
 * Why a flow passes or not, and the smallest change that would let it: each change is tried on the model before it is
 * offered, and a wall that is the platform's own is never among them. Pure.
 */
import { inAnyPrefix } from '../lib/ip.ts';
import { reach, type Flow, type Place, type Reached, type Verdict, type Walls } from './reachability.ts';
import type { RuleDirection, SecurityRule } from './security-rules.ts';

export type Change =
  /** A rule to add before the one that decides. */
  | { readonly kind: 'rule'; readonly group: string; readonly rule: SecurityRule }
  /** No number is free before the rule that decides: it has to allow. */
  | { readonly kind: 'access'; readonly group: string; readonly rule: SecurityRule }
  /** A route to take away, of a place's table. */
  | { readonly kind: 'route'; readonly place: string; readonly route: string }
  /** A connection to approve. */
  | { readonly kind: 'approval'; readonly endpoint: string }
  /** Two networks to tie, both ways. */
  | { readonly kind: 'peering'; readonly network: string; readonly peer: string }
  /** A peering that has to let the peer in. */
  | { readonly kind: 'peer access'; readonly network: string; readonly peer: string };

export interface Why {
  readonly reached: Reached;
  /** In order; all of them together let it pass. Empty: it passes, or nothing would let it. */
  readonly changes: readonly Change[];
  /** Why no change would let it; null: it passes, or the changes let it. */
  readonly never: 'platform policy' | 'private link' | 'nobody has the address' | 'no way out' | null;
}

interface Step {
  readonly change: Change;
  readonly walls: Walls;
}

/** More walls than there are on any way. */
const most = 8;

/** `platform`: the network that is the provider's own, which nobody is tied with. */
export function why(walls: Walls, from: string, flow: Flow, platform: string): Why {
  const ask = (of: Walls): Reached =>
    reach(
      of,
      of.places.find(({ id }) => id === from)!,
      flow,
    );
  const reached = ask(walls);
  const changes: Change[] = [];
  let changed = walls;
  for (let now = reached; changes.length < most; now = ask(changed)) {
    if (now.reached && now.astray === null) return { reached, changes, never: null };
    const step = next(changed, from, flow, now, platform);
    if (typeof step === 'string') return { reached, changes: [], never: step };
    changes.push(step.change);
    changed = step.walls;
  }
  return { reached, changes: [], never: 'platform policy' };
}

function next(
  walls: Walls,
  from: string,
  flow: Flow,
  now: Reached,
  platform: string,
): Step | Exclude<Why['never'], null> {
  if (now.reached) return withoutRoute(walls, now.at, now.astray!.name) ?? 'no way out';
  switch (now.why) {
    case 'platform out':
    case 'platform in':
      return 'platform policy';
    case 'nobody':
      return 'nobody has the address';
    case 'group out':
      return allowing(walls, from, 'Outbound', flow, now.verdict);
    case 'group in':
      return allowing(walls, now.at!, 'Inbound', flow, now.verdict);
    case 'link': {
      const endpoint = walls.endpoints.find(({ id }) => id === now.at)!;
      if (endpoint.open || flow.protocol !== 'Udp' || flow.destination.port !== endpoint.port)
        return 'private link';
      const endpoints = walls.endpoints.map((one) => (one === endpoint ? { ...one, open: true } : one));
      return { change: { kind: 'approval', endpoint: endpoint.id }, walls: { ...walls, endpoints } };
    }
    case 'route':
      return withoutRoute(walls, from, now.route.name) ?? tied(walls, from, flow, platform);
  }
}

/** The same walls with one rule more. */
function allowing(
  walls: Walls,
  id: string,
  direction: RuleDirection,
  flow: Flow,
  verdict: Verdict | null,
): Step | 'platform policy' {
  if (verdict?.by !== 'group' || verdict.group === null) return letIn(walls, id, direction, flow);
  const { group, rule: decides } = verdict;
  const places = [...walls.places, ...walls.endpoints];
  const standing = places.flatMap((place) => [
    place.group,
    ...('ownGroup' in place && place.ownGroup ? [place.ownGroup] : []),
  ]);
  const rules = standing.find((one) => one.id === group)?.rules ?? [];
  const taken = new Set(rules.filter((rule) => rule.direction === direction).map(({ priority }) => priority));
  let priority = Math.min(decides.priority, 4097) - 1;
  while (priority >= 100 && taken.has(priority)) priority--;
  const { protocol, source, destination } = flow;
  const rule: SecurityRule = {
    name: `allow-${protocol.toLowerCase()}-${destination.port ?? 'any'}-${direction === 'Inbound' ? 'from' : 'to'}-${(direction === 'Inbound' ? source : destination).address.replaceAll('.', '-')}`,
    priority,
    direction,
    access: 'Allow',
    protocol,
    source: { prefixes: [`${source.address}/32`], groups: [] },
    sourcePorts: ['*'],
    destination: { prefixes: [`${destination.address}/32`], groups: [] },
    destinationPorts: [destination.port === null ? '*' : `${destination.port}`],
  };
  if (priority < 100)
    return {
      change: { kind: 'access', group, rule: decides },
      walls: withRules(walls, group, (one) =>
        one.map((each) => (each === decides ? { ...each, access: 'Allow' } : each)),
      ),
    };
  return { change: { kind: 'rule', group, rule }, walls: withRules(walls, group, (one) => [...one, rule]) };
}

type Rules = readonly SecurityRule[];
function withRules(walls: Walls, id: string, change: (rules: Rules) => Rules): Walls {
  const changed = <G extends { readonly id: string | null; readonly rules: Rules }>(group: G): G =>
    group.id === id ? { ...group, rules: change(group.rules) } : group;
  return {
    ...walls,
    places: walls.places.map((place) => ({
      ...place,
      group: changed(place.group),
      ...(place.ownGroup && { ownGroup: changed(place.ownGroup) }),
    })),
    endpoints: walls.endpoints.map((endpoint) => ({ ...endpoint, group: changed(endpoint.group) })),
  };
}

/** Without a group only a peer that shall have no access is kept away. */
function letIn(walls: Walls, id: string, direction: RuleDirection, flow: Flow): Step | 'platform policy' {
  const own = [...walls.places, ...walls.endpoints].find((one) => one.id === id)!.network;
  const far = direction === 'Inbound' ? flow.source.address : flow.destination.address;
  const peer = walls.networks.find(({ prefixes }) => inAnyPrefix(far, prefixes))?.id;
  if (peer === undefined) return 'platform policy';
  return { change: { kind: 'peer access', network: own, peer }, walls: withPeer(walls, own, peer) };
}

const withPeer = (walls: Walls, network: string, peer: string): Walls => ({
  ...walls,
  networks: walls.networks.map((one) =>
    one.id === network
      ? { ...one, peers: [...one.peers.filter(({ id }) => id !== peer), { id: peer, access: true }] }
      : one,
  ),
});

function withoutRoute(walls: Walls, id: string, name: string | null): Step | undefined {
  if (name === null) return undefined;
  const without = (place: Place): Place =>
    place.id === id ? { ...place, routes: place.routes.filter((route) => route.name !== name) } : place;
  return {
    change: { kind: 'route', place: id, route: name },
    walls: { ...walls, places: walls.places.map(without) },
  };
}

/** No route of anybody's leads there: a peering would, to a network of a customer's that has the address. */
function tied(
  walls: Walls,
  from: string,
  flow: Flow,
  platform: string,
): Step | 'no way out' | 'platform policy' {
  const own = walls.places.find(({ id }) => id === from)!.network;
  const { address } = flow.destination;
  const others = [...walls.places, ...walls.endpoints].filter(
    (one) => one.address === address && one.network !== own,
  );
  if (others.length === 0) return 'no way out';
  const [peer] = others.filter(({ network }) => network !== platform);
  // More than one has that address, or it is the provider's: no peering leads there.
  if (own === platform || !peer) return 'platform policy';
  if (others.length > 1) return 'no way out';
  const walled = withPeer(withPeer(walls, own, peer.network), peer.network, own);
  return { change: { kind: 'peering', network: own, peer: peer.network }, walls: walled };
}
