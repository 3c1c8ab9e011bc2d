/** The ring as the ladder looks at it: what shall be, what is remembered, what the nodes last said, and the time. */
import type { NodeReport } from '../exchange/intents/node.ts';
import type {
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
  if (!member.grant) return 'expected';
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

/** The first node of each rack, filled up in order to three. */
export function ownSeeds(dataCenter: OperatorDataCenter): readonly string[] {
  const racks = new Set<string>();
  const first = dataCenter.nodes.filter((node) => !racks.has(node.rack) && racks.add(node.rack));
  const rest = dataCenter.nodes.filter((node) => !first.includes(node));
  return [...first, ...rest].slice(0, 3).map((node) => node.address);
}

/** A data centre's seeds: those of the data centres before it, which never change for its sake, and its own. */
export function seedsOf(intent: OperatorIntent, dataCenter: OperatorDataCenter): readonly string[] {
  const index = intent.dataCenters.indexOf(dataCenter);
  return intent.dataCenters.slice(0, index + 1).flatMap(ownSeeds);
}

export const replicationOf = (dataCenter: OperatorDataCenter): number => Math.min(3, dataCenter.nodes.length);

export const named = (node: OperatorNode): string => `node ${node.name} (${node.address})`;
