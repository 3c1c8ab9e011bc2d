/**
 * The ladder of a data centre, as a pure function: intent, memory and reports in; the next memory, the nodes' intents and
 * what to tell control out. A rung that was reached is never left: a node that is down later is named, not started over.
 */
import type { NodeIntent } from '../exchange/intents/node.ts';
import type { OperatorDataCenter, OperatorReport } from '../exchange/intents/operator.ts';
import type { Revised } from '../exchange/revision.ts';
import { revise } from '../exchange/revision.ts';
import type { Fault } from '../lib/errors.ts';
import { faultIn, readyFault } from './ring-fault.ts';
import { nodeIntent } from './node-intent.ts';
import { machineKey, named, fresh, phaseOf, reached, startedNodes, type RingView } from './ring-view.ts';
import { outcome, retried, tasksOf, triedTooOften, withoutLeavers } from './ring-work.ts';
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
  let view = start;
  const reports: DataCenterReport[] = [];
  for (const dataCenter of view.intent.dataCenters) {
    let ring = view.state.rings[dataCenter.name];
    if (!ring) continue;
    const put = (next: Ring): void => {
      ring = next;
      view = { ...view, state: { ...view.state, rings: { ...view.state.rings, [dataCenter.name]: next } } };
    };
    put(withoutLeavers(view, dataCenter, ring));
    put(retried(view, dataCenter, ring));
    let waitingFor: string | null = null;
    while (ring.rung !== 'ready') {
      waitingFor = steps[ring.rung](view, dataCenter, ring) ?? null;
      if (waitingFor !== null) break;
      put(above(view, dataCenter, ring));
    }
    reports.push(reportOf(view, dataCenter, ring, waitingFor));
  }
  return { rings: view.state.rings, reports, intents: intentsOf(view) };
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
    const busy = view.intent.dataCenters.find(
      (other) => other !== dataCenter && climbing(view.state.rings[other.name]),
    );
    return busy && `data centre ${busy.name}: it is being started, and ${dataCenter.name} comes after it`;
  },

  starting: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ??
    first(dataCenter.nodes, (node) => {
      const report = fresh(view, node.name)?.report;
      if (!report) return noReport(view, node);
      const { cassandra } = report;
      if (cassandra.mode !== 'NORMAL')
        return `${named(node)}: Cassandra is ${(cassandra.mode ?? cassandra.process).toLowerCase()}`;
      const missing = dataCenter.nodes.find(
        (other) => other !== node && !cassandra.live.includes(other.address),
      );
      return missing && `${named(node)}: its Cassandra doesn't see ${named(missing)} live`;
    }),

  transport: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'start-native-transport'),

  roles: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'secure-roles'),

  checking: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? tasksDone(view, dataCenter, ring, 'check-default-password-refused'),

  opening: (view, dataCenter, ring) =>
    late(view, dataCenter, ring) ?? first(dataCenter.nodes, (node) => unopened(view, dataCenter, ring, node)),
};

const climbing = (ring: Ring | undefined): boolean =>
  ring !== undefined && reached(ring, 'starting') && ring.rung !== 'ready';

function above(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  const rung = rungs[rungs.indexOf(ring.rung) + 1]!;
  if (ring.rung !== 'enrolling') return { ...ring, rung };
  const started = dataCenter.nodes.map((node) => [node.name, machineKey(view.state.members[node.name]!)]);
  return { ...ring, rung, started: Object.fromEntries(started) };
}

/** The first node that has something to say, and how many more have. */
function first<T>(nodes: readonly T[], say: (node: T) => string | undefined): string | undefined {
  const said = nodes.map(say).filter((text) => text !== undefined);
  if (said.length < 2) return said[0];
  return `${said[0]} (and ${said.length - 1} more ${said.length === 2 ? 'node' : 'nodes'})`;
}

function enrolmentOf(
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

function noReport(view: RingView, node: OperatorDataCenter['nodes'][number]): string {
  const member = view.state.members[node.name];
  if (member && phaseOf(member, view.heard.get(node.name), view.now) === 'silent') {
    return `${named(node)}: it has stopped reporting; is its machine running, and the private endpoint still approved?`;
  }
  return `${named(node)}: it has its certificates, and its first report is awaited`;
}

/** A node that came after the others were started. It is kept apart, its Cassandra stopped. */
function late(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): string | undefined {
  const started = startedNodes(view, ring, dataCenter);
  const node = dataCenter.nodes.find((one) => !started.includes(one));
  return node && `${named(node)}: it is new in a ring that is started already, which isn't supported yet`;
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

/** What is missing until a node serves CQL at its open door, seen in a report of its present intent. */
function unopened(
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

function reportOf(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  waitingFor: string | null,
): DataCenterReport {
  const { name } = dataCenter;
  if (ring.rung === 'ready') {
    const unsettled =
      late(view, dataCenter, ring) ??
      first(dataCenter.nodes, (node) => unopened(view, dataCenter, ring, node));
    // Just started, nobody could have spoken: say nothing of silence before it means something.
    const error = readyFault(view, dataCenter, ring);
    return { name, phase: 'ready', waitingFor: unsettled ?? null, error };
  }
  const error: Fault | null = faultIn(view, dataCenter, ring);
  if (triedTooOften(ring) && error) return { name, phase: 'failed', waitingFor, error };
  const phase = ring.rung === 'enrolling' || ring.rung === 'starting' ? ring.rung : 'securing';
  return { name, phase, waitingFor, error };
}

function intentsOf(view: RingView): Map<string, Revised<NodeIntent>> {
  const intents = new Map<string, Revised<NodeIntent>>();
  for (const dataCenter of view.intent.dataCenters) {
    const ring = view.state.rings[dataCenter.name];
    if (!ring) continue;
    for (const node of dataCenter.nodes) {
      const intent = nodeIntent(view, dataCenter, ring, node);
      if (intent) intents.set(node.name, revise(intent));
    }
  }
  return intents;
}
