import type { VerifyGate } from '../../exchange/intents/fabric.ts';
import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { readProgram } from './batch.ts';
import { gateMachineOf, gateOf, readGateProgram } from './gate.ts';
import { judge, nameOf, verdictOf, type Sighting } from './judge.ts';
import { gateControls, gateStrays, judgeGate, openedSince } from './judge-gate.ts';
import { openHostCanary } from './outside.ts';
import { planRun } from './plan.ts';
import { playControls, playTurn, type Run, type Shown } from './play.ts';
import {
  allowedControls,
  flushControls,
  isNeeded,
  restoreAll,
  tunnelShown,
  type Opened,
  type Played,
} from './played.ts';
import { blindness, readAll, vouched } from './recorders.ts';
import type { Control, VerifiedTry, VerifyResult } from './result.ts';
import { summarise } from './summary.ts';
import { doorOf } from './try.ts';
import { startWatchers, stopWatchers } from './watch.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

export interface VerifyOptions {
  /** Only the nodes of this network; null: all. */
  readonly network: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What policies let now; undefined: it is not known. */
  readonly gatesNow?: () => readonly VerifyGate[] | undefined;
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
    const programs = { program: await readProgram(), gateProgram: await readGateProgram() };
    const run: Run = { ...options, world, nodes, operators, host, ...programs };
    const { tries, controls } = await play(run);
    const gated = operators.filter((operator) => gateOf(world, operator));
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
    return { ...found, summary: [...summarise(found, operators.length, gated.length)] };
  } finally {
    await host.close();
  }
}

/** Those that the nodes' doors lead to. */
const operatorsOf = (world: VerifyWorld, nodes: readonly WorldMachine[]): readonly WorldMachine[] => {
  const ends = new Set(nodes.map((machine) => doorOf(world, machine)?.destination));
  return world.machines.filter(({ kind, address }) => kind === 'operator' && ends.has(address));
};

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
    ...gateControls(played.flatMap(({ gate, ...one }) => (gate ? [{ ...one, ...gate }] : []))),
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
    const blind = [...blindness(p.machine, [first, ...p.readings], link?.id), ...dead];
    const judged = judge({
      ...p,
      results: p.answer.results,
      sightings: [...p.sightings, ...inTunnel],
      blind,
      controls: kinds,
      operator,
      hasTwin: world.machines.some((m) => m.id !== p.machine.id && m.address === p.machine.address),
    });
    if (!p.gate) return judged;
    const strays = gateStrays(p.gate.batch, gateMachineOf(world), p.sightings);
    const since = openedSince(p.gate.batch, gateOf(world, p.machine)!, run.gatesNow?.());
    return [...judged, ...judgeGate({ ...p, ...p.gate }, { blind, strays, since })];
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
