/**
 * A ring that is ready and shall be larger, smaller, or at rest: pure steps from what is intended, remembered and reported
 * to what is remembered next. One node at a time in the whole cluster, and only in a ring that is whole.
 */
import type { OperatorDataCenter, OperatorNode } from '../exchange/intents/operator.ts';
import { dueAfterJoin } from './cleanup.ts';
import { fresh, hasLeft, isStarted, machineKey, named, reached, startedNodes } from './ring-view.ts';
import { takesAbandonedPlace, type RingView } from './ring-view.ts';
import { enrolmentOf, first, noReport, unopened } from './ring-waits.ts';
import { departed, isAskedBack, outcome, tasksOf, withoutChange } from './ring-work.ts';
import type { Ring, RingChange } from './state.ts';

/** Whether the first start of a ring is under way. */
export const climbing = (ring: Ring | undefined): boolean =>
  ring !== undefined && reached(ring, 'starting') && ring.rung !== 'ready';

/** Who shall leave and was never in has left; who is not in the intent any more, or on another machine, is forgotten. */
export function withoutThoseWhoNeverCame(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  const { state } = view;
  const kept = Object.entries(ring.left ?? {}).filter(
    ([name]) => dataCenter.nodes.some((node) => node.name === name) && hasLeft(state, dataCenter.name, name),
  );
  const left = Object.fromEntries(kept);
  const never = dataCenter.nodes.filter(
    (node) => node.leaving && !left[node.name] && !isStarted(view, ring, node.name),
  );
  if (never.length === 0 && kept.length === Object.keys(ring.left ?? {}).length) return ring;
  for (const { name } of never) left[name] = { machine: machineKey(state.members[name]!), at: view.now };
  return { ...ring, left };
}

/** The next memory of a ring that is ready. */
export function scaled(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  if (ring.change) return advanced(view, dataCenter, ring, ring.change);
  if (ring.stopped) {
    if (dataCenter.deallocated) return ring;
    const nodes = startedNodes(view, ring, dataCenter);
    return nodes.every((node) => !unopened(view, dataCenter, ring, node))
      ? { ...ring, stopped: false }
      : ring;
  }
  // Whatever it was asked: who says that it has been decommissioned is out.
  const out = startedNodes(view, ring, dataCenter).find((node) => modeOf(view, node) === 'DECOMMISSIONED');
  if (out) return departed(ring, out.name, ring.started[out.name]!, view.now);
  if (dataCenter.deallocated) return { ...ring, stopped: true };
  const next = candidate(view, dataCenter, ring);
  if (!next || blocked(view, dataCenter, ring, next)) return ring;
  const machine = machineKey(view.state.members[next.node.name]!);
  return {
    ...ring,
    started: { ...ring.started, [next.node.name]: machine },
    change: { kind: next.kind, node: next.node.name, machine, stage: 'moving' },
    changes: (ring.changes ?? 0) + 1,
  };
}

/** What a ring that changes, or shall, waits for; undefined: it is as large as intended. */
export function scalingWaits(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): string | undefined {
  const { change } = ring;
  const node = change && dataCenter.nodes.find((one) => one.name === change.node);
  if (node) return changeWaits(view, dataCenter, ring, node, change);
  const next = candidate(view, dataCenter, ring);
  return next && (blocked(view, dataCenter, ring, next) ?? `the operator: ${named(next.node)} is next`);
}

/** Whether no ring of the cluster changes, is started or rests, nor shall. */
export const quiet = (view: RingView): boolean =>
  view.intent.dataCenters.every((dataCenter) => {
    const ring = view.state.rings[dataCenter.name];
    if (!ring || !reached(ring, 'starting')) return true;
    if (climbing(ring) || ring.change || ring.stopped || dataCenter.deallocated) return false;
    return !candidate(view, dataCenter, ring);
  });

interface Candidate {
  readonly kind: RingChange['kind'];
  readonly node: OperatorNode;
}

/** New ones first, so that a ring is never smaller than it has to be; then the last of those that shall leave. */
function candidate(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Candidate | undefined {
  const isIn = (node: OperatorNode): boolean => isStarted(view, ring, node.name);
  const join = dataCenter.nodes.find((node) => !isIn(node) && !takesAbandonedPlace(view, ring, node));
  if (join) return { kind: 'join', node: join };
  const leave = dataCenter.nodes.findLast((node) => node.leaving && isIn(node));
  return leave && { kind: 'leave', node: leave };
}

/** Why a change can't begin now. A ring that isn't whole would lose data, or refuse. */
function blocked(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  { kind, node }: Candidate,
): string | undefined {
  const { dataCenters } = view.intent;
  const inRings = dataCenters.map((one) => [one, view.state.rings[one.name]] as const);
  for (const [other, its] of inRings) {
    const after = `and ${named(node)} comes after it`;
    if (climbing(its)) return `data centre ${other.name}: it is being started, ${after}`;
    if (its?.change) return `data centre ${other.name}: it is being changed in size, ${after}`;
    if (its?.stopped) return `data centre ${other.name}: it is deallocated, ${after}`;
  }
  const enrolling = kind === 'join' ? enrolmentOf(view, dataCenter, node) : undefined;
  if (enrolling) return enrolling;
  const members = inRings.flatMap(([one, its]) => (its ? startedNodes(view, its, one) : []));
  return first(members, (member) => {
    const report = fresh(view, member.name)?.report;
    if (!report) return noReport(view, member);
    if (report.cassandra.mode !== 'NORMAL') return unwell(view, member);
    if (kind === 'join' && !report.door.peers.includes(node.address))
      return `${named(member)}: its door doesn't let ${named(node)} in yet`;
    return unseen(view, member, members) ?? haunted(view, member, members);
  });
}

/** Somebody who is no node of the ring any more, and whom the ring still counts on. */
function haunted(view: RingView, node: OperatorNode, members: readonly OperatorNode[]): string | undefined {
  const unreachable = fresh(view, node.name)?.report.cassandra.unreachable ?? [];
  const ghost = unreachable.find((address) => !members.some((member) => member.address === address));
  return (
    ghost &&
    `${named(node)}: its Cassandra still counts on ${ghost}, which went without leaving the ring; letting it go isn't supported yet`
  );
}

function advanced(view: RingView, dataCenter: OperatorDataCenter, ring: Ring, change: RingChange): Ring {
  const node = dataCenter.nodes.find((one) => one.name === change.node);
  if (!node) return withoutChange(ring, null);
  if (change.kind === 'leave') return left(view, dataCenter, ring, node, change);
  const at = (stage: RingChange['stage']): Ring => ({ ...ring, change: { ...change, stage } });
  switch (change.stage) {
    case 'moving':
      if (node.leaving && gaveUp(view, node)) return departed(ring, node.name, change.machine, view.now);
      if (unjoined(view, dataCenter, ring, node)) return ring;
      return at(view.intent.cluster.authentication === 'None' ? 'opening' : 'checking');
    case 'checking':
      return tasksOf(view, dataCenter, ring).every((task) => outcome(view, task) === 'done')
        ? at('opening')
        : ring;
    case 'opening':
      if (unopened(view, dataCenter, ring, node)) return ring;
      return dueAfterJoin(view, dataCenter, withoutChange(ring, null), node.name);
  }
}

function left(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  node: OperatorNode,
  change: RingChange,
): Ring {
  const [task] = tasksOf(view, dataCenter, ring);
  const done = task !== undefined && outcome(view, task) === 'done';
  if (done || modeOf(view, node) === 'DECOMMISSIONED' || forgotten(view, node))
    return departed(ring, node.name, change.machine, view.now);
  // Asked back before it has begun, or after it failed at it: its agent then brings it back. One that had begun all the
  // same says so, and is found to be out.
  const begun = task && fresh(view, node.name)?.report.work[task.id]?.state === 'running';
  const inside = ['NORMAL', 'DECOMMISSION_FAILED'].includes(modeOf(view, node) ?? '');
  const stays = !node.leaving && inside && !begun;
  return stays ? withoutChange(ring, null) : ring;
}

function changeWaits(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  node: OperatorNode,
  change: RingChange,
): string {
  const tried = tasksOf(view, dataCenter, ring).flatMap((task) => ring.attempts[task.key]?.fault ?? [])[0];
  const again = tried ? `; the last try failed: ${tried.message}` : '';
  if (!fresh(view, node.name)) return noReport(view, node);
  if (isAskedBack(dataCenter, ring))
    return `${named(node)}: it shall stay, and whether it has begun to leave is awaited`;
  if (change.kind === 'leave')
    return `${named(node)}: it hands its data to the others and leaves the ring${again}`;
  if (change.stage === 'checking')
    return `${named(node)}: it is being checked that the default password is refused${again}`;
  const waits =
    change.stage === 'moving'
      ? unjoined(view, dataCenter, ring, node)
      : unopened(view, dataCenter, ring, node);
  return waits ?? `the operator: ${named(node)} is in`;
}

/** What is missing until a bootstrapping node is one of the ring. */
function unjoined(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  node: OperatorNode,
): string | undefined {
  const report = fresh(view, node.name)?.report;
  if (!report) return noReport(view, node);
  if (report.cassandra.mode === 'JOINING') return `${named(node)}: it joins the ring and takes over its part`;
  if (report.cassandra.mode !== 'NORMAL') return unwell(view, node);
  if (!report.cassandra.nativeTransport) return `${named(node)}: its Cassandra doesn't serve CQL yet`;
  const members = startedNodes(view, ring, dataCenter);
  return unseen(view, node, members) ?? first(members, (member) => unseen(view, member, [node]));
}

/** What is missing until a node of a data centre that is deallocated is at rest. */
export function unstopped(view: RingView, node: OperatorNode): string | undefined {
  const report = fresh(view, node.name)?.report;
  if (!report) return noReport(view, node);
  const { process } = report.cassandra;
  if (process === 'stopped' || process === 'absent') return undefined;
  return `${named(node)}: its Cassandra is being drained and stopped`;
}

/** It can't come in as it is: its bootstrap failed, or its Cassandra doesn't come up and nobody in the ring knows it. */
function gaveUp(view: RingView, node: OperatorNode): boolean {
  const cassandra = fresh(view, node.name)?.report.cassandra;
  if (cassandra?.mode === 'JOINING_FAILED') return true;
  return cassandra?.process === 'failed' && forgotten(view, node);
}

/**
 * Every other node of the ring is up, and none knows it, neither as live nor as gone: it is out, whatever became of its own
 * answer. A member that is merely down is unreachable to the others, also after their restart.
 */
function forgotten(view: RingView, node: OperatorNode): boolean {
  if (modeOf(view, node) === 'NORMAL') return false;
  const others = view.intent.dataCenters.flatMap((dataCenter) => {
    const ring = view.state.rings[dataCenter.name];
    return ring ? startedNodes(view, ring, dataCenter).filter((one) => one.name !== node.name) : [];
  });
  return (
    others.length > 0 &&
    others.every((other) => {
      const cassandra = fresh(view, other.name)?.report.cassandra;
      if (cassandra?.mode !== 'NORMAL' || cassandra.live.length === 0) return false;
      return ![...cassandra.live, ...cassandra.unreachable].includes(node.address);
    })
  );
}

const modeOf = (view: RingView, node: OperatorNode): string | null =>
  fresh(view, node.name)?.report.cassandra.mode ?? null;

function unwell(view: RingView, node: OperatorNode): string {
  const cassandra = fresh(view, node.name)?.report.cassandra;
  const state = (cassandra?.mode ?? cassandra?.process ?? 'silent').toLowerCase();
  return `${named(node)}: its Cassandra is ${state}${cassandra?.error ? `: ${cassandra.error.message}` : ''}`;
}

/** Whom a node doesn't see live. */
function unseen(view: RingView, node: OperatorNode, others: readonly OperatorNode[]): string | undefined {
  const live = fresh(view, node.name)?.report.cassandra.live ?? [];
  const missing = others.find((other) => other.name !== node.name && !live.includes(other.address));
  return missing && `${named(node)}: its Cassandra doesn't see ${named(missing)} live`;
}
