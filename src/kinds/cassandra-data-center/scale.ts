/** Which nodes a data centre has when its nodeCount changes: a pure function. Nobody leaves at once, and names aren't used twice. */
import type { DataCenterNode } from './schema.ts';

const racks = ['rack1', 'rack2', 'rack3'];

export interface Scaled {
  /** Those that were there, some of them leaving now, or no longer. */
  readonly nodes: readonly DataCenterNode[];
  /** The racks of those that are to be made. */
  readonly added: readonly string[];
}

/**
 * `canStay`: whether a node that was told to leave has not begun to. Such nodes are asked back before new ones are made.
 * New nodes go to the rack with the fewest; who leaves is the latest of the rack with the most, so that each rack keeps one.
 */
export function scale(
  before: readonly DataCenterNode[],
  count: number,
  canStay: (node: DataCenterNode) => boolean,
): Scaled {
  let nodes = before;
  const active = (): readonly DataCenterNode[] => nodes.filter((node) => node.leaving !== true);
  const mark = (node: DataCenterNode, leaving: boolean): void => {
    nodes = nodes.map((one) => (one === node ? { ...one, leaving } : one));
  };
  while (active().length > count) mark(nextToLeave(active()), true);
  const back = before.filter((node) => node.leaving === true && canStay(node));
  for (const node of back) if (active().length < count) mark(node, false);
  const taken = active().map(({ rack }) => rack);
  const added: string[] = [];
  while (taken.length + added.length < count) added.push(emptiest([...taken, ...added]));
  return { nodes, added };
}

const countIn = (taken: readonly string[], rack: string): number =>
  taken.filter((one) => one === rack).length;

const emptiest = (taken: readonly string[]): string =>
  racks.reduce((best, rack) => (countIn(taken, rack) < countIn(taken, best) ? rack : best));

function nextToLeave(active: readonly DataCenterNode[]): DataCenterNode {
  const taken = active.map(({ rack }) => rack);
  const fullest = racks.reduce((best, rack) => (countIn(taken, rack) >= countIn(taken, best) ? rack : best));
  return active.findLast(({ rack }) => rack === fullest) ?? active.at(-1)!;
}
