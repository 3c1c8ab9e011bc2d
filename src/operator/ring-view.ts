/** The ring as the ladder looks at it: what shall be, what is remembered, what the nodes last said, and the time. */
import type { NodeReport } from '../exchange/intents/node.ts';
import type {
  Membership,
  OperatorDataCenter,
  OperatorIntent,
  OperatorNode,
  OperatorNodeReport,
} from '../exchange/intents/operator.ts';
import { rungs, type Member, type OperatorState, type Ring, type Rung } from './state.ts';

export interface Heard {
  readonly report: NodeReport;
  /** The revision of the node's intent that the report speaks of. */
  readonly applied: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface RingView {
  readonly intent: OperatorIntent;
  readonly state: OperatorState;
  /** PEM of the two authorities that a ring's members trust. */
  readonly authorities: { readonly internode: string; readonly client: string };
  readonly heard: ReadonlyMap<string, Heard>;
  /** Nodes whose one-time key was seen in a handshake. */
  readonly knocked: ReadonlySet<string>;
  readonly now: number;
  /** Since when this operator listens: nobody is called silent before there was time to speak. */
  readonly since: number;
}

/** A node that said nothing for so long is silent. Three heartbeats of 2.5 s, and a little. */
export const silentAfterMs = 8_000;

export const reached = (ring: Ring, rung: Rung): boolean => rungs.indexOf(ring.rung) >= rungs.indexOf(rung);

/** The last report, if it is of now. */
export function fresh(view: RingView, name: string): Heard | undefined {
  const heard = view.heard.get(name);
  return heard && view.now - heard.at <= silentAfterMs ? heard : undefined;
}

export function phaseOf(member: Member, heard: Heard | undefined, now: number): OperatorNodeReport['phase'] {
  // Without a one-time key it isn't expected any more: it has left.
  if (!member.grant) return member.oneTime ? 'expected' : 'silent';
  if (!heard) return 'enrolled';
  return now - heard.at <= silentAfterMs ? 'connected' : 'silent';
}

/** Names one machine under a node's name; a replaced one has another. */
export const machineKey = (member: Member): string => `${member.address}|${member.machine}`;

/** Whether the node is one of those that were started together. */
export function isStarted(view: RingView, ring: Ring, name: string): boolean {
  const member = view.state.members[name];
  return member !== undefined && ring.started[name] === machineKey(member);
}

export const startedNodes = (
  view: RingView,
  ring: Ring,
  dataCenter: OperatorDataCenter,
): readonly OperatorNode[] => dataCenter.nodes.filter((node) => isStarted(view, ring, node.name));

/** Those of a data centre that are in its ring and stay: neither on their way in nor on their way out. */
export const settledMembers = (
  view: RingView,
  ring: Ring,
  dataCenter: OperatorDataCenter,
): readonly OperatorNode[] =>
  startedNodes(view, ring, dataCenter).filter(
    (node) => node.leaving !== true && node.name !== ring.change?.node,
  );

/**
 * The first node of each rack, filled up in order to three. In a ring that was started, a node that came later is taken
 * only for want of others: a seed doesn't bootstrap, so one that is still joining may never be one.
 */
function ownSeeds(view: RingView, dataCenter: OperatorDataCenter): readonly string[] {
  const ring = view.state.rings[dataCenter.name];
  let nodes: readonly OperatorNode[] = dataCenter.nodes;
  if (ring && reached(ring, 'starting')) {
    const members = settledMembers(view, ring, dataCenter);
    const founders = members.filter((node) => ring.tokens[node.name]);
    const others = members.filter((node) => !founders.includes(node));
    nodes = founders.length >= 3 ? founders : [...founders, ...others];
    if (nodes.length === 0) nodes = startedNodes(view, ring, dataCenter);
  }
  const racks = new Set<string>();
  const first = nodes.filter((node) => !racks.has(node.rack) && racks.add(node.rack));
  const rest = nodes.filter((node) => !first.includes(node));
  return [...first, ...rest].slice(0, 3).map((node) => node.address);
}

/** A data centre's seeds: those of the data centres before it, which never change for its sake, and its own. */
export function seedsOf(view: RingView, dataCenter: OperatorDataCenter): readonly string[] {
  const { dataCenters } = view.intent;
  const index = dataCenters.findIndex((one) => one.name === dataCenter.name);
  return dataCenters.slice(0, index + 1).flatMap((one) => ownSeeds(view, one));
}

/** Whether this machine was in the ring, or was to be, and has left it for good. */
export function hasLeft(state: OperatorState, dataCenter: string, name: string): boolean {
  const member = state.members[name];
  const left = state.rings[dataCenter]?.left?.[name];
  return member !== undefined && left?.machine === machineKey(member);
}

/** The intent without the nodes that have left: what the ring is made of. */
export const ringIntent = (intent: OperatorIntent, state: OperatorState): OperatorIntent => ({
  ...intent,
  dataCenters: intent.dataCenters.map((dataCenter) => ({
    ...dataCenter,
    nodes: dataCenter.nodes.filter((node) => !hasLeft(state, dataCenter.name, node.name)),
  })),
});

/** A machine of this name or at this address went without leaving: Cassandra would take its successor for it. */
export function takesAbandonedPlace(view: RingView, ring: Ring, node: OperatorNode): boolean {
  const abandoned = ring.abandoned ?? {};
  return (
    !isStarted(view, ring, node.name) &&
    (abandoned[node.name] !== undefined ||
      Object.values(abandoned).some((machine) => machine.startsWith(`${node.address}|`)))
  );
}

export function membershipOf(state: OperatorState, dataCenter: string, name: string): Membership {
  const ring = state.rings[dataCenter];
  const member = state.members[name];
  if (hasLeft(state, dataCenter, name)) return 'left';
  if (!ring || !member || ring.started[name] !== machineKey(member)) return 'waiting';
  if (ring.change?.node === name) return ring.change.kind === 'join' ? 'joining' : 'leaving';
  return ring.rung === 'ready' ? 'member' : 'joining';
}

export const replicationOf = (dataCenter: OperatorDataCenter): number => Math.min(3, dataCenter.nodes.length);

export const named = (node: OperatorNode): string => `node ${node.name} (${node.address})`;
