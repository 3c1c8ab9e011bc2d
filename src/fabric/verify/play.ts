/** A proof under way: machines try together, phase by phase, and recorders are read before and after. */
import type { VerifyGate } from '../../exchange/intents/fabric.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { encode, parseAnswer, type Answer } from './batch.ts';
import { judgeControls } from './controls.ts';
import { probeGate, type GateProgram } from './gate.ts';
import type { GateHeard } from './gate-probe.ts';
import type { OpenHostCanary } from './outside.ts';
import type { PlannedBatch, RunPlan, Turn } from './plan.ts';
import type { Opened, Phase, Played } from './played.ts';
import { readAll, sightingsBetween, type Reading } from './recorders.ts';
import type { Control, Identity } from './result.ts';
import { allowedTries } from './tries.ts';
import type { Batch, ControlClass } from './try.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

/** What a proof has at hand. */
export interface Run {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What policies let now; undefined: it is not known. */
  readonly gatesNow?: () => readonly VerifyGate[] | undefined;
  readonly world: VerifyWorld;
  readonly nodes: readonly WorldMachine[];
  readonly operators: readonly WorldMachine[];
  readonly host: OpenHostCanary;
  readonly program: string;
  readonly gateProgram: GateProgram;
}

export interface Shown {
  readonly controls: readonly Control[];
  /** By network, the classes of tries whose control was seen. */
  readonly kinds: ReadonlyMap<string, ReadonlySet<ControlClass>>;
  readonly reading: Reading;
}

export async function playControls(run: Run, plan: RunPlan, from: Reading): Promise<Shown> {
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

export interface Sofar {
  readonly from: Reading;
  readonly played: Played[];
  readonly opened: Opened[];
}

export async function playTurn(run: Run, plan: RunPlan, turn: Turn, sofar: Sofar): Promise<Reading> {
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
    batches.map((planned) => playBatch(run, plan, phase, planned, sofar.opened)),
  );
  const reading = await readAll(run.world);
  const sightings = sightingsBetween(sofar.from, reading);
  for (const [n, { machine, batch, gate }] of batches.entries()) {
    const { answer, heard: byGate } = answers[n]!;
    sofar.played.push({
      ...phase,
      machine,
      batch,
      answer,
      ...(gate && { gate: { batch: gate, heard: byGate } }),
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

interface Answers {
  readonly answer: Answer;
  readonly heard: ReadonlyMap<string, GateHeard>;
}

/** Both probers at once. Where the rules have to be gone, root keeps them away until both have ended. */
async function playBatch(
  run: Run,
  plan: RunPlan,
  phase: Phase,
  { machine, batch, gate }: PlannedBatch,
  opened: Opened[],
): Promise<Answers> {
  const byGate = (): Promise<Answers['heard']> =>
    gate ? probeGate(run, machine, gate, phase.as) : Promise.resolve(new Map());
  if (phase.rules === 'in force') {
    const tries = allowedTries({ world: run.world, machine, others: plan.facts });
    const all = { ...batch, tries: [...batch.tries, ...tries] };
    const [answer, heard] = await Promise.all([perform(run, plan, machine, all, phase.as), byGate()]);
    opened.push({ machine, tries, answer });
    return { answer, heard };
  }
  // Who has no capability can't flush: root does, and keeps the rules away while the other tries.
  const isRoot = phase.as === 'root';
  if (!isRoot || gate)
    await run.world.enter(machine.id, ['/usr/sbin/nft', 'flush', 'ruleset'], { as: 'root', timeoutMs: 5000 });
  let tried = false;
  const own = perform(run, plan, machine, batch, phase.as, { ...(isRoot && { flush }), rounds: 3 });
  const tries = Promise.all([own, byGate()]).finally(() => (tried = true));
  if (isRoot) await own;
  // As long as it takes: on a busy host the tries may begin when a time set for them has run out.
  const wait = isRoot ? 300 : 1200;
  while (!tried) await perform(run, plan, machine, nothing, 'root', { flush, wait });
  const [answer, heard] = await tries;
  return { answer, heard };
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
