/**
 * Why one machine reaches another or not, from the model of all walls (src/network/reachability.ts): the wall that decides,
 * whose it is, the smallest change that would let the packet pass, and its way.
 */
import { ArmError } from '../../arm/errors.ts';
import { isObject } from '../../arm/request-body.ts';
import type { FabricIntent, Probe } from '../../exchange/intents/fabric.ts';
import { inAnyPrefix } from '../../lib/ip.ts';
import { judge, type Flow, type Reached, type Verdict, type Walls } from '../../network/reachability.ts';
import { wallsOfIntent } from '../../network/walls.ts';
import { why, type Why } from '../../network/why.ts';
import type { Json, Store } from '../../store/resource.ts';
import { fields } from '../fields.ts';
import { ruleOf } from '../network-watcher/questions.ts';
import { platform } from '../platform.ts';
import { azLines } from './lines.ts';
import { everybody, receiver, sender, type Somebody } from './names.ts';

export interface WhyAnswer {
  readonly from: { readonly name: string; readonly address: string };
  readonly to: { readonly name: string; readonly address: string };
  readonly protocol: Probe['protocol'];
  /** Null with icmp. */
  readonly port: number | null;
  readonly reached: boolean;
  readonly wall: string;
  /** Whose wall it is; null: there is none. */
  readonly owner: 'customer' | 'provider' | 'platform' | null;
  /** The rule that decides, as Network Watcher names it, and the id of its group. */
  readonly rule: string | null;
  readonly group: string | null;
  readonly nextHop: { readonly type: string; readonly address: string | null; readonly route: string | null };
  /** One sentence. */
  readonly because: string;
  /** Lines of az that would let it pass, all of them together. */
  readonly change: readonly string[];
  /** Why nothing would; null: it passes, or the change would let it. */
  readonly never: string | null;
}

export interface Question {
  readonly answer: WhyAnswer;
  /** The packet that would confirm it. */
  readonly probe: Probe;
  /** What machines and links are called, by id. */
  readonly names: ReadonlyMap<string, string>;
}

export interface Asker {
  /** Whether somebody may see a network, by its ARM id or the platform's label; and a resource, by its id. */
  readonly seesNetwork: (label: string) => boolean;
  readonly sees: (id: string) => boolean;
}

export function answerWhy(
  store: Store,
  intent: FabricIntent,
  asker: Asker,
  json: Json | undefined,
): Question {
  if (!isObject(json))
    throw new ArmError(
      'InvalidRequestContent',
      'Send {"from": "…", "to": "…", "protocol": "tcp", "port": 9042}.',
    );
  const body = fields(json, 'body');
  const protocol = body.choice('protocol', ['tcp', 'udp', 'icmp']) ?? 'tcp';
  const port =
    protocol === 'icmp'
      ? null
      : (body.integer('port', { min: 1, max: 65_535 }) ??
        body.fail('port', 'is missing: a port from 1 to 65535.'));
  const labels = new Map(intent.networks.map(({ id, label }) => [id, label]));
  const all = everybody(store, intent, (network) => asker.seesNetwork(labels.get(network) ?? network));
  const from = sender(all, body.text('from') ?? '');
  const walls = wallsOfIntent(intent);
  const near = [
    from.network,
    ...(walls.networks.find(({ id }) => id === from.network)?.peers ?? []).map(({ id }) => id),
  ];
  const to = receiver(all, near, body.text('to') ?? '');
  if (to.address === from.address && (to.network === null || to.network === from.network))
    throw new ArmError(
      'InvalidParameter',
      `to: ${to.address} is ${from.name} itself; what a machine says to itself passes no wall.`,
      { target: 'to' },
    );
  const twin = walls.networks.find(
    ({ id, prefixes }) => near.includes(id) && inAnyPrefix(to.address, prefixes),
  );
  if (to.network !== null && !near.includes(to.network) && twin)
    throw new ArmError(
      'InvalidParameter',
      `to: ${to.name} is in a network that has the same address plan as ${from.name}'s, so nothing can lead from one to the other: ${to.address} is somebody else there. Give the address to ask about that one.`,
      { target: 'to' },
    );
  const flow: Flow = {
    protocol: ({ tcp: 'Tcp', udp: 'Udp', icmp: 'Icmp' } as const)[protocol],
    source: { address: from.address, port: null },
    destination: { address: to.address, port },
  };
  const found = why(walls, from.id, flow, platform.network);
  return {
    answer: tell(store, intent, asker, walls, { from, to, protocol, port, flow, found }),
    probe: { from: from.id, to: to.address, protocol, port: port ?? 0 },
    names: new Map([
      ...intent.machines.map(({ id, hostname }) => [id, hostname] as const),
      ...intent.links.map(({ id, label }) => [id, `the private link of ${label.split('/').at(-1)}`] as const),
    ]),
  };
}

interface Found {
  readonly from: Somebody & { readonly id: string; readonly network: string };
  readonly to: Somebody;
  readonly protocol: Probe['protocol'];
  readonly port: number | null;
  readonly flow: Flow;
  readonly found: Why;
}

function tell(store: Store, intent: FabricIntent, asker: Asker, walls: Walls, asked: Found): WhyAnswer {
  const { from, to, protocol, port, flow, found } = asked;
  const { reached } = found;
  const place = walls.places.find(({ id }) => id === from.id)!;
  const verdict = verdictOf(walls, place.id, flow, reached);
  const far = [...walls.places, ...walls.endpoints].find(({ id }) => id === reached.at);
  const inbound = !reached.reached && reached.why.endsWith('in');
  const network = (inbound ? far?.network : from.network) ?? from.network;
  const label = intent.networks.find(({ id }) => id === network)?.label ?? network;
  // Whose rules they are is told; what they say, only to those who may read them.
  const open = asker.seesNetwork(label);
  const lines = found.changes.map((change) => azLines(store, intent, change, asker.sees));
  return {
    from: { name: from.name, address: from.address },
    to: { name: to.name, address: to.address },
    protocol,
    port,
    reached: reached.reached,
    wall: wallOf(reached, verdict),
    owner: ownerOf(reached, verdict, network),
    rule: verdict && open ? ruleOf(verdict) : null,
    group: verdict?.by === 'group' && open ? (store.get(verdict.group ?? '')?.id ?? verdict.group) : null,
    nextHop: { type: reached.route.hop, address: reached.route.address, route: reached.route.name },
    because: sentence(reached, verdict, inbound ? to.name : from.name, open),
    change: lines.flatMap(
      (line) => line ?? ["# and a change of the other network's walls, which its owner has to make"],
    ),
    never: found.never === null ? null : nevers[found.never],
  };
}

/** What decided: the wall that stops it, or the last one that lets it through. */
function verdictOf(walls: Walls, from: string, flow: Flow, reached: Reached): Verdict | null {
  if (!reached.reached) return reached.verdict;
  const at = walls.places.find(({ id }) => id === reached.at);
  const source = walls.places.find(({ id }) => id === from)!;
  return at ? judge(walls, at, 'Inbound', flow) : judge(walls, source, 'Outbound', flow);
}

function wallOf(reached: Reached, verdict: Verdict | null): string {
  if (reached.reached) return 'none';
  switch (reached.why) {
    case 'group out':
    case 'group in':
      return verdict?.by === 'no group' ? 'peering without access' : 'network security group';
    case 'platform out':
    case 'platform in':
      return 'platform policy';
    case 'route':
      return 'route';
    case 'link':
      return 'private link';
    case 'nobody':
      return 'none: nobody has the address';
  }
}

function ownerOf(reached: Reached, verdict: Verdict | null, network: string): WhyAnswer['owner'] {
  if (reached.reached) return null;
  switch (reached.why) {
    case 'platform out':
    case 'platform in':
      return 'platform';
    case 'route':
      return reached.route.name === null ? 'platform' : 'customer';
    case 'link':
      return 'provider';
    case 'nobody':
      return null;
    case 'group out':
    case 'group in':
      return verdict !== null && network === platform.network ? 'provider' : 'customer';
  }
}

function sentence(reached: Reached, verdict: Verdict | null, name: string, open: boolean): string {
  const rule = verdict && open ? ` (${ruleOf(verdict)})` : '';
  if (reached.reached) {
    const lost = reached.astray
      ? ` What is answered gets lost: ${routeText(reached.astray)} at the far side.`
      : '';
    return `Every wall lets it through${rule}.${lost}`;
  }
  switch (reached.why) {
    case 'group out':
      return `The security group of ${name} doesn't let it out${rule}.`;
    case 'group in':
      return `The security group of ${name} doesn't let it in${rule}.`;
    case 'platform out':
      return `The written policy of ${name} names no such flow, and what it doesn't name doesn't leave.`;
    case 'platform in':
      return `The written policy of ${name} names no such flow, and what it doesn't name doesn't come in.`;
    case 'route':
      return `It leaves ${name}, and ${routeText(reached.route)} leads it to ${reached.at ?? 'nobody'}.`;
    case 'link':
      return 'A private endpoint takes one UDP port, while its connection is Approved.';
    case 'nobody':
      return 'Nobody in the network or its peers has this address.';
  }
}

const routeText = (route: Reached['route']): string =>
  `${route.name === null ? 'the system route' : `route '${route.name}'`} ${route.prefix} → ${route.hop}`;

const nevers = {
  'platform policy': 'never: platform policy',
  'private link': 'never: platform policy (a private endpoint takes UDP 51820 and nothing else)',
  'nobody has the address': 'nothing would: nobody has this address',
  'no way out': 'nothing would: no route of this network can lead there',
} as const;
