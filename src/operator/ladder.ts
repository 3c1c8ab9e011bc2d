/**
 * The ladder of a data centre, as a pure function: intent, memory and reports in; the next memory, the nodes' intents and
 * what to tell control out. A rung that was reached is never left: a node that is down later is named, not started over.
 */
import type { NodeIntent } from '../exchange/intents/node.ts';
import type { OperatorDataCenter, OperatorReport } from '../exchange/intents/operator.ts';
import type { Revised } from '../exchange/revision.ts';
import { revise } from '../exchange/revision.ts';
import type { Fault } from '../lib/errors.ts';
import { cleaned, cleanupReport } from './cleanup.ts';
import { nodeIntent, retiredIntent } from './node-intent.ts';
import { faultIn, readyFault } from './ring-fault.ts';
import { fresh, hasLeft, machineKey, named, ringIntent, startedNodes } from './ring-view.ts';
import { takesAbandonedPlace, type RingView } from './ring-view.ts';
import { enrolmentOf, first, noReport, unopened } from './ring-waits.ts';
import { outcome, retried, tasksOf, triedTooOften, withoutLeavers } from './ring-work.ts';
import { climbing, quiet, scaled, scalingWaits, unstopped, withoutThoseWhoNeverCame } from './scale.ts';
import { rungs, type Ring, type Rung } from './state.ts';
import { tokensKey } from './tokens.ts';

export type DataCenterReport = OperatorReport['dataCenters'][number];

export interface Climb {
  readonly rings: Readonly<Record<string, Ring>>;
  readonly reports: readonly DataCenterReport[];
  /** To be published only once `rings` is on disk. */
  readonly intents: ReadonlyMap<string, Revised<NodeIntent>>;
}

export function climb(start: RingView): Climb {
  const whole = start.intent;
  let { state } = start;
  const put = (name: string, next: Ring): void => {
    state = { ...state, rings: { ...state.rings, [name]: next } };
  };
  const view = (): RingView => ({ ...start, state, intent: ringIntent(whole, state) });
  // Over all first: what a ring is made of is what the others see.
  for (const dataCenter of whole.dataCenters) {
    const ring = state.rings[dataCenter.name];
    if (ring) put(dataCenter.name, withoutThoseWhoNeverCame({ ...start, state }, dataCenter, ring));
  }
  const reports: DataCenterReport[] = [];
  for (const { name } of whole.dataCenters) {
    if (!state.rings[name]) continue;
    /** The data centre and its ring as they are now; a step may take a node out of both. */
    const now = (): [RingView, OperatorDataCenter, Ring] => [
      view(),
      view().intent.dataCenters.find((one) => one.name === name)!,
      state.rings[name]!,
    ];
    put(name, withoutLeavers(...now()));
    put(name, retried(...now()));
    let waitingFor: string | null = null;
    for (let { rung } = state.rings[name]!; rung !== 'ready'; { rung } = state.rings[name]!) {
      waitingFor = steps[rung](...now()) ?? null;
      if (waitingFor !== null) break;
      put(name, above(...now()));
    }
    if (state.rings[name]!.rung === 'ready') {
      put(name, scaled(...now()));
      put(name, cleaned(...now(), quiet(view())));
    }
    reports.push({ ...reportOf(...now(), waitingFor), ...cleanupReport(state.rings[name]!) });
  }
  return { rings: state.rings, reports, intents: intentsOf({ ...view(), intent: whole }, view()) };
}

type Step = (view: RingView, dataCenter: OperatorDataCenter, ring: Ring) => string | undefined;

/** What each rung still waits for; undefined: the next one may be climbed. */
const steps: Readonly<Record<Exclude<Rung, 'ready'>, Step>> = {
  enrolling(view, dataCenter, ring) {
    if (dataCenter.nodes.length === 0) return 'control: it has named no node yet';
    const waiting = first(dataCenter.nodes, (node) => enrolmentOf(view, dataCenter, node));
    if (waiting) return waiting;
    if (ring.tokensFor !== tokensKey(dataCenter)) return 'the operator: it makes the tokens of the ring';
    // One at a time: two rings that start at once would both make the roles.
    const busy = view.intent.dataCenters.find((other) => {
      const ofOther = view.state.rings[other.name];
      return other !== dataCenter && (climbing(ofOther) || ofOther?.change);
    });
    const what = busy && climbing(view.state.rings[busy.name]) ? 'started' : 'changed in size';
    return busy && `data centre ${busy.name}: it is being ${what}, and ${dataCenter.name} comes after it`;
  },

  starting: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ??
    first(startedNodes(view, ring, dataCenter), (node, started) => {
      const report = fresh(view, node.name)?.report;
      if (!report) return noReport(view, node);
      const { cassandra } = report;
      if (cassandra.mode !== 'NORMAL')
        return `${named(node)}: Cassandra is ${(cassandra.mode ?? cassandra.process).toLowerCase()}`;
      const missing = started.find((other) => other !== node && !cassandra.live.includes(other.address));
      return missing && `${named(node)}: its Cassandra doesn't see ${named(missing)} live`;
    }),

  transport: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'start-native-transport'),

  roles: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'secure-roles'),

  checking: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'check-default-password-refused'),

  opening: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ??
    first(startedNodes(view, ring, dataCenter), (node) => unopened(view, dataCenter, ring, node)),
};

function above(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  const rung = rungs[rungs.indexOf(ring.rung) + 1]!;
  if (ring.rung !== 'enrolling') return { ...ring, rung };
  const started = dataCenter.nodes.map((node) => [node.name, machineKey(view.state.members[node.name]!)]);
  return { ...ring, rung, started: Object.fromEntries(started) };
}

/** A machine that takes the place of one that never left. It is kept apart, its Cassandra stopped. */
function late(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): string | undefined {
  const node = dataCenter.nodes.find((one) => takesAbandonedPlace(view, ring, one));
  return (
    node &&
    `${named(node)}: it takes the place of a machine that never left the ring, which isn't supported yet`
  );
}

const doing: Readonly<Record<string, string>> = {
  'start-native-transport': 'CQL is being opened on its loopback',
  'secure-roles': 'the initial password and the service role are being put in force',
  'check-default-password-refused': 'it is being checked that the default password is refused',
};

function tasksDone(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  kind: string,
): string | undefined {
  const tasks = tasksOf(view, dataCenter, ring).filter((task) => task.kind === kind);
  const nodes = view.intent.dataCenters.flatMap((one) => one.nodes);
  return first(tasks, (task) => {
    if (outcome(view, task) === 'done') return undefined;
    const failed = ring.attempts[task.key]?.fault;
    const node = nodes.find((one) => one.name === task.node)!;
    if (!fresh(view, task.node)) return noReport(view, node);
    return `${named(node)}: ${doing[kind]}${failed ? `; the last try failed: ${failed.message}` : ''}`;
  });
}

function reportOf(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  waitingFor: string | null,
): DataCenterReport {
  const { name } = dataCenter;
  if (ring.rung === 'ready') return readyReport(view, dataCenter, ring);
  const error: Fault | null = faultIn(view, dataCenter, ring);
  if (triedTooOften(ring) && error) return { name, phase: 'failed', waitingFor, error };
  const phase = ring.rung === 'enrolling' || ring.rung === 'starting' ? ring.rung : 'securing';
  return { name, phase, waitingFor, error };
}

function readyReport(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): DataCenterReport {
  const { name } = dataCenter;
  const nodes = startedNodes(view, ring, dataCenter);
  if (ring.stopped) {
    const waitingFor = first(nodes, (node) =>
      dataCenter.deallocated ? unstopped(view, node) : unopened(view, dataCenter, ring, node),
    );
    const arrived = waitingFor === undefined;
    const phase = !dataCenter.deallocated ? 'starting' : arrived ? 'deallocated' : 'deallocating';
    return { name, phase, waitingFor: waitingFor ?? null, error: faultIn(view, dataCenter, ring) };
  }
  // Just started, nobody could have spoken: say nothing of silence before it means something.
  const error = readyFault(view, dataCenter, ring);
  const scaling = scalingWaits(view, dataCenter, ring);
  if (scaling !== undefined) {
    const phase = triedTooOften(ring) && error ? 'failed' : 'scaling';
    return { name, phase, waitingFor: scaling, error };
  }
  const unsettled =
    late(view, dataCenter, ring) ?? first(nodes, (node) => unopened(view, dataCenter, ring, node));
  return { name, phase: 'ready', waitingFor: unsettled ?? null, error };
}

/** Of the ring's nodes, and the last words to those that have left. */
function intentsOf(whole: RingView, view: RingView): Map<string, Revised<NodeIntent>> {
  const intents = new Map<string, Revised<NodeIntent>>();
  for (const { name, nodes } of whole.intent.dataCenters) {
    const ring = view.state.rings[name];
    const dataCenter = view.intent.dataCenters.find((one) => one.name === name)!;
    if (!ring) continue;
    for (const node of nodes) {
      const intent = nodeIntent(view, dataCenter, ring, node);
      const left = hasLeft(view.state, name, node.name);
      if (intent) intents.set(node.name, revise(left ? retiredIntent(intent) : intent));
    }
  }
  return intents;
}
