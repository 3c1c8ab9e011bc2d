import type { Clock } from '../../lib/clock.ts';
import { UserError, faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { encode, parseAnswer, readProgram, type Answer } from './batch.ts';
import { judgeControls } from './controls.ts';
import { judge, nameOf, verdictOf, type Sighting } from './judge.ts';
import { openHostCanary, type OpenHostCanary } from './outside.ts';
import { planRun, type PlannedBatch, type RunPlan, type Turn } from './plan.ts';
import {
  allowedControls,
  flushControls,
  isNeeded,
  restoreAll,
  tunnelShown,
  type Opened,
  type Phase,
  type Played,
} from './played.ts';
import { blindness, readAll, sightingsBetween, vouched, type Reading } from './recorders.ts';
import type { Control, Identity, VerifiedTry, VerifyResult } from './result.ts';
import { summarise } from './summary.ts';
import { allowedTries } from './tries.ts';
import { doorOf, type Batch, type ControlClass } from './try.ts';
import { startWatchers, stopWatchers } from './watch.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

export interface VerifyOptions {
  /** Only the nodes of this network; null: all. */
  readonly network: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Tries every way out of every node, and of the operators behind their doors, and says whether one was found. Throws only
 * where nothing could be tried at all. Nothing else may send packets that are only there to be seen meanwhile: two at once would
 * flush each other's rules, and be taken for each other.
 */
export async function verify(world: VerifyWorld, options: VerifyOptions): Promise<VerifyResult> {
  options.signal.throwIfAborted();
  const nodes = world.machines.filter(
    (m) => m.kind === 'node' && (options.network === null || m.network === options.network),
  );
  if (nodes.length === 0) {
    throw new UserError(
      'NothingToVerify',
      'There is no data node to try to get out of.',
      'Create a data centre first, then run: sallyport verify',
    );
  }
  if (world.canaries.ipv4.length === 0)
    throw new Error('The fabric has no canary: a leak could not be seen.');
  const operators = operatorsOf(world, nodes);
  const started = options.clock.now();
  const host = await openHostCanary();
  try {
    const run: Run = { ...options, world, nodes, operators, host, program: await readProgram() };
    const { tries, controls } = await play(run);
    const found = {
      verdict: verdictOf(tries, controls),
      machines: [...nodes, ...operators].map(({ id, hostname, network, address }) => ({
        id,
        hostname,
        network,
        address,
      })),
      tries: [...tries],
      controls: [...controls],
      startedAt: new Date(started).toISOString(),
      seconds: Math.round((options.clock.now() - started) / 100) / 10,
    };
    options.log.info('verified', { verdict: found.verdict, tries: tries.length, seconds: found.seconds });
    return { ...found, summary: [...summarise(found, operators.length)] };
  } finally {
    await host.close();
  }
}

/** Those that the nodes' doors lead to. */
const operatorsOf = (world: VerifyWorld, nodes: readonly WorldMachine[]): readonly WorldMachine[] => {
  const ends = new Set(nodes.map((machine) => doorOf(world, machine)?.destination));
  return world.machines.filter(({ kind, address }) => kind === 'operator' && ends.has(address));
};

interface Run extends VerifyOptions {
  readonly world: VerifyWorld;
  readonly nodes: readonly WorldMachine[];
  readonly operators: readonly WorldMachine[];
  readonly host: OpenHostCanary;
  readonly program: string;
}

interface Shown {
  readonly controls: readonly Control[];
  /** By network, the classes of tries whose control was seen. */
  readonly kinds: ReadonlyMap<string, ReadonlySet<ControlClass>>;
  readonly reading: Reading;
}

/** Controls first, then every phase; whatever happens, the rules are put back. */
async function play(
  run: Run,
): Promise<{ readonly tries: readonly VerifiedTry[]; readonly controls: readonly Control[] }> {
  const { world, nodes, operators, host, clock, signal } = run;
  const plan = await planRun(run);
  const hostControl: Control = {
    kind: 'recorder',
    what: "the host's sockets",
    from: 'the host',
    ...(await host.selfTest(clock)),
  };
  const vsockControl: Control = {
    kind: 'recorder',
    what: 'AF_VSOCK',
    from: 'the host',
    seen: true,
    evidence: "a process without a machine's filter opens it",
  };
  const controls: Control[] = [hostControl, ...(host.vsock ? [vsockControl] : []), ...plan.controls];
  signal.throwIfAborted();

  const { watchers, missing } = await startWatchers(world, nodes, plan.facts, {
    program: run.program,
    ports: plan.tunnelPorts,
    clock,
    signal,
  });
  controls.push(...missing);
  const played: Played[] = [];
  const opened: Opened[] = [];
  const first = await readAll(world);
  let shown: Shown = { controls: [], kinds: new Map(), reading: first };
  let reading = first;
  let inTunnel: readonly Sighting[] = [];
  try {
    shown = await playControls(run, plan, first);
    reading = shown.reading;
    reading = await playTurn(run, plan, plan.nodes, { from: reading, played, opened });
  } finally {
    const stopped = await stopWatchers(watchers);
    inTunnel = stopped.sightings;
    controls.push(
      ...stopped.failed,
      ...(await restoreAll(world, plan.nodes.able, plan.facts, { program: run.program, clock })),
    );
  }
  // The operators after the nodes: while a node tries through the tunnel, its operator's own door has to stand.
  try {
    reading = await playTurn(run, plan, plan.operators, { from: reading, played, opened });
  } finally {
    controls.push(
      ...(await restoreAll(world, plan.operators.able, plan.facts, { program: run.program, clock })),
    );
  }
  controls.push(
    ...shown.controls,
    ...allowedControls([...plan.nodes.able, ...plan.operators.able], plan.facts, opened, clock.now()),
    ...flushControls(played),
  );

  const vouchers = vouched(reading, (recorder) => isNeeded(recorder, world, [...nodes, ...operators]));
  controls.push(...vouchers.map(voucherControl));
  const dead = vouchers
    .filter((v) => v.packets === 0)
    .map((v) => `the recorder ${nameOf(v.recorder)} has never seen a packet`);
  const tries = played.flatMap((p) => {
    const link = doorOf(world, p.machine);
    const operator =
      world.machines.find((m) => m.kind === 'operator' && m.address === link?.destination)?.id ?? null;
    // Nobody in the operators' network has a way out: what the same means do from another network must show it.
    const kinds = new Set(
      p.machine.kind === 'operator'
        ? [...shown.kinds.values()].flatMap((some) => [...some])
        : shown.kinds.get(p.machine.network),
    );
    if (hostControl.seen) kinds.add('host');
    if (host.vsock) kinds.add('vsock');
    if (tunnelShown(p.machine, operator, opened, inTunnel)) kinds.add('tunnel');
    return judge({
      ...p,
      results: p.answer.results,
      sightings: [...p.sightings, ...inTunnel],
      blind: [...blindness(p.machine, [first, ...p.readings], link?.id), ...dead],
      controls: kinds,
      operator,
      hasTwin: world.machines.some((m) => m.id !== p.machine.id && m.address === p.machine.address),
    });
  });
  return { tries, controls };
}

const voucherControl = ({ recorder, packets }: ReturnType<typeof vouched>[number]): Control => ({
  kind: 'recorder',
  what: nameOf(recorder),
  from: 'outside',
  seen: packets > 0,
  evidence: packets > 0 ? `${packets} packets seen` : 'it has never seen a packet',
});

async function playControls(run: Run, plan: RunPlan, from: Reading): Promise<Shown> {
  const answers = await Promise.all(
    plan.applications.map(({ machine, batch }) => perform(run, plan, machine, batch, 'root')),
  );
  const reading = await readAll(run.world);
  const sightings = sightingsBetween(from, reading);
  const judged = plan.applications.map(({ machine, batch }, n) => ({
    machine,
    lines: judgeControls(machine, batch, answers[n]!.results, sightings),
  }));
  return {
    controls: judged.flatMap(({ lines }) => lines.map((line) => line.control)),
    kinds: new Map(
      judged.map(({ machine, lines }) => [
        machine.network,
        new Set(lines.filter((l) => l.control.seen).map((l) => l.kind)),
      ]),
    ),
    reading,
  };
}

interface Sofar {
  readonly from: Reading;
  readonly played: Played[];
  readonly opened: Opened[];
}

async function playTurn(run: Run, plan: RunPlan, turn: Turn, sofar: Sofar): Promise<Reading> {
  let reading = sofar.from;
  for (const { phase, batches } of turn.phases) {
    run.signal.throwIfAborted();
    reading = await playPhase(run, plan, phase, batches, { ...sofar, from: reading });
  }
  return reading;
}

/** All machines of a turn at once, as one identity under one state of the rules; recorders are read before and after. */
async function playPhase(
  run: Run,
  plan: RunPlan,
  phase: Phase,
  batches: readonly PlannedBatch[],
  sofar: Sofar,
): Promise<Reading> {
  const heard = run.host.received().length;
  const answers = await Promise.all(
    batches.map(({ machine, batch }) => playBatch(run, plan, phase, machine, batch, sofar.opened)),
  );
  const reading = await readAll(run.world);
  const sightings = sightingsBetween(sofar.from, reading);
  for (const [n, { machine, batch }] of batches.entries()) {
    const answer = answers[n]!;
    sofar.played.push({
      ...phase,
      machine,
      batch,
      answer,
      sightings,
      heard: run.host.received().slice(heard),
      readings: [sofar.from, reading],
    });
  }
  return reading;
}

/** Milliseconds between two flushes: an agent that puts its rules back does not get far. */
const flush = 60;
const nothing: Batch = { tries: [], preparation: { orders: [] } };

async function playBatch(
  run: Run,
  plan: RunPlan,
  phase: Phase,
  machine: WorldMachine,
  batch: Batch,
  opened: Opened[],
): Promise<Answer> {
  if (phase.rules === 'in force') {
    const tries = allowedTries({ world: run.world, machine, others: plan.facts });
    const answer = await perform(
      run,
      plan,
      machine,
      { ...batch, tries: [...batch.tries, ...tries] },
      phase.as,
    );
    opened.push({ machine, tries, answer });
    return answer;
  }
  if (phase.as === 'root') return await perform(run, plan, machine, batch, 'root', { flush, rounds: 3 });
  // Who has no capability can't flush: root does, and keeps the rules away while the other tries.
  await run.world.enter(machine.id, ['/usr/sbin/nft', 'flush', 'ruleset'], { as: 'root', timeoutMs: 5000 });
  let tried = false;
  const tries = perform(run, plan, machine, batch, phase.as, { rounds: 3 }).finally(() => (tried = true));
  // As long as it takes: on a busy host the tries may begin when a time set for them has run out.
  do await perform(run, plan, machine, nothing, 'root', { flush, wait: 1200 });
  while (!tried);
  return await tries;
}

/** One prober, one batch. One that fails leaves its tries without a word, and they are then not proved. */
async function perform(
  run: Run,
  plan: RunPlan,
  machine: WorldMachine,
  batch: Batch,
  as: Identity,
  more: Readonly<Record<string, string | number>> = {},
): Promise<Answer> {
  const facts = plan.facts.get(machine.id)!;
  const settings = {
    dev: facts.device,
    ...(facts.gateway ? { gateway: facts.gateway } : {}),
    secret: run.host.secret,
    ...more,
  };
  const input = run.program + encode(settings, batch);
  try {
    const said = await run.world.enter(machine.id, ['/usr/bin/perl', '-'], { as, input, timeoutMs: 30_000 });
    if (said.exitCode !== 0)
      run.log.warn('a prober ended badly', {
        machine: machine.id,
        as,
        exitCode: said.exitCode,
        stderr: said.stderr.slice(0, 500),
      });
    return parseAnswer(said.stdout);
  } catch (error) {
    run.log.warn('a prober could not be started', { machine: machine.id, as, fault: faultOf(error) });
    return parseAnswer('');
  }
}
