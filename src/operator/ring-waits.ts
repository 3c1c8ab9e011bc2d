/** What is still missing of one node, in words: shared by the ladder and by what follows it. */
import type { OperatorDataCenter } from '../exchange/intents/operator.ts';
import { revise } from '../exchange/revision.ts';
import { nodeIntent } from './node-intent.ts';
import { fresh, named, phaseOf, type RingView } from './ring-view.ts';
import type { Ring } from './state.ts';

/** The first node that has something to say, and how many more have. */
export function first<T>(
  nodes: readonly T[],
  say: (node: T, all: readonly T[]) => string | undefined,
): string | undefined {
  const said = nodes.map((node) => say(node, nodes)).filter((text) => text !== undefined);
  if (said.length < 2) return said[0];
  return `${said[0]} (and ${said.length - 1} more ${said.length === 2 ? 'node' : 'nodes'})`;
}

export function enrolmentOf(
  view: RingView,
  dataCenter: OperatorDataCenter,
  node: OperatorDataCenter['nodes'][number],
): string | undefined {
  const member = view.state.members[node.name];
  if (!member?.grant) {
    if (view.knocked.has(node.name))
      return `${named(node)}: its key was seen at the door, and it hasn't enrolled yet`;
    return (
      `${named(node)}: expected, never seen: its key has never been seen at the door; is the private endpoint ` +
      `${dataCenter.endpoint.address} approved, and the node's machine running?`
    );
  }
  const heard = fresh(view, node.name);
  if (!heard) return noReport(view, node);
  const { door } = heard.report;
  if (door.state === 'joining' && !door.error) return undefined;
  return `${named(node)}: its door is '${door.state}', not 'joining' yet${door.error ? `: ${door.error.message}` : ''}`;
}

export function noReport(view: RingView, node: OperatorDataCenter['nodes'][number]): string {
  const member = view.state.members[node.name];
  if (member && phaseOf(member, view.heard.get(node.name), view.now) === 'silent') {
    return `${named(node)}: it has stopped reporting; is its machine running, and the private endpoint still approved?`;
  }
  return `${named(node)}: it has its certificates, and its first report is awaited`;
}

/** What is missing until a node serves CQL at its open door, seen in a report of its present intent. */
export function unopened(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  node: OperatorDataCenter['nodes'][number],
): string | undefined {
  const heard = fresh(view, node.name);
  if (!heard) return noReport(view, node);
  const { door, cassandra } = heard.report;
  if (door.state !== 'joined') return `${named(node)}: its door is '${door.state}', not 'joined' yet`;
  if (!cassandra.nativeTransport) return `${named(node)}: its Cassandra doesn't serve CQL yet`;
  const intent = nodeIntent(view, dataCenter, ring, node);
  if (!intent || heard.applied === revise(intent).revision) return undefined;
  return `${named(node)}: it hasn't applied its latest intent yet`;
}
