import { until, type Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Answer } from './batch.ts';
import { atCable, type Sighting } from './judge.ts';
import type { Facts } from './facts.ts';
import { gateMachineOf, gateOf } from './gate.ts';
import type { GateHeard } from './gate-probe.ts';
import { look } from './look.ts';
import type { Reading } from './recorders.ts';
import type { Control, Identity, Rules } from './result.ts';
import type { GateBatch } from './tries-gate.ts';
import { doorOf, type Batch, type Try } from './try.ts';
import type { Recorder, VerifyWorld, WorldMachine } from './world.ts';

/** A WireGuard session is renewed every 120 s while it is used, and dead after 180. */
const handshakeSeconds = 180;

export interface Phase {
  readonly as: Identity;
  readonly rules: Rules;
}
/** One phase of one node, as it was played. */
export interface Played extends Phase {
  readonly machine: WorldMachine;
  readonly batch: Batch;
  readonly answer: Answer;
  /** What it tried by the gate, and what came of it. */
  readonly gate?: { readonly batch: GateBatch; readonly heard: ReadonlyMap<string, GateHeard> } | undefined;
  readonly sightings: readonly Sighting[];
  readonly heard: readonly string[];
  readonly readings: readonly Reading[];
}

/** What a node had to be able to do, and what became of it. */
export interface Opened {
  readonly machine: WorldMachine;
  readonly tries: readonly Try[];
  readonly answer: Answer;
}

/** Puts the rules back and waits until the machine says that they and its interfaces are as they were. */
export async function restoreAll(
  world: VerifyWorld,
  nodes: readonly WorldMachine[],
  looked: ReadonlyMap<string, Facts>,
  options: { readonly program: string; readonly clock: Clock },
): Promise<readonly Control[]> {
  return await Promise.all(
    nodes.map(async (machine): Promise<Control> => {
      const was = looked.get(machine.id)!;
      const control = {
        kind: 'rules',
        what: 'its rules are back as they were',
        from: machine.hostname,
      } as const;
      if (was.rules === '')
        return { ...control, seen: false, evidence: 'it had no rules of its own to begin with' };
      try {
        await world.restoreRules(machine.id);
        await until(
          'the rules to be back',
          async () => {
            const now = await look(world, machine, options.program);
            return now.rules === was.rules && now.interfaces === was.interfaces ? true : undefined;
          },
          { timeoutMs: 15_000, everyMs: 150, clock: options.clock },
        );
        return {
          ...control,
          seen: true,
          evidence: `${was.rules.split('\n').length} lines of rules, and its interfaces, read back the same`,
        };
      } catch (error) {
        return { ...control, seen: false, evidence: faultOf(error).message };
      }
    }),
  );
}

/** What is allowed works: else "nothing gets out" would be true of a dead machine, too. */
export function allowedControls(
  nodes: readonly WorldMachine[],
  looked: ReadonlyMap<string, Facts>,
  allowed: readonly Opened[],
  now: number,
): readonly Control[] {
  return nodes.flatMap((machine) => {
    const from = machine.hostname;
    const peers = looked.get(machine.id)?.tunnel?.peers ?? [];
    const age = Math.round(now / 1000 - Math.max(0, ...peers.map((p) => p.latestHandshake)));
    const fresh = age <= handshakeSeconds;
    const handshake: Control = {
      kind: 'allowed',
      what: 'WireGuard through the door',
      from,
      seen: fresh,
      evidence: fresh
        ? `last handshake ${age} s ago`
        : peers.length === 0
          ? 'it has no tunnel'
          : 'no handshake within 180 s',
    };
    const asked = allowed.filter((a) => a.machine === machine);
    const opens = (asked[0]?.tries ?? []).map((tried): Control => {
      const said = asked.map((a) => a.answer.results.get(tried.id));
      const seen = said.some((s) => s?.state === 'answered');
      return {
        kind: 'allowed',
        what: tried.what,
        from,
        seen,
        evidence: `${tried.towards}: ${seen ? 'connected' : (said[0]?.detail ?? '') || 'no answer'}`,
      };
    });
    return [handshake, ...opens];
  });
}

/** That the rules were gone shows in this: what the node's root sent then came out of its cable. */
export function flushControls(played: readonly Played[]): readonly Control[] {
  return played
    .filter((p) => p.rules === 'flushed')
    .map(({ machine, as, batch, sightings }) => {
      const tries = batch.tries.filter((t) => t.by === 'network');
      const out = tries.filter((t) => atCable(t.markers, machine.id, sightings));
      return {
        kind: 'rules',
        what: `its rules were gone while ${as} tried`,
        from: machine.hostname,
        seen: out.length > 0,
        evidence: `${out.length} of ${tries.length} kinds of packet came out of its cable`,
      };
    });
}

/** Recorders whose silence is believed for these nodes, and which their everyday traffic passes. */
export function isNeeded(recorder: Recorder, world: VerifyWorld, nodes: readonly WorldMachine[]): boolean {
  const doors = nodes.flatMap((m) => doorOf(world, m) ?? []);
  if (recorder.place === 'internet') return true;
  if (recorder.place === 'link') return doors.some((link) => link.id === recorder.of);
  if (recorder.place === 'nic-out')
    return nodes.some(
      (m) => m.id === recorder.of || (gateOf(world, m) && gateMachineOf(world)?.id === recorder.of),
    );
  const machine = world.machines.find((m) => m.id === recorder.of);
  if (!machine) return false;
  // An operator follows control all the time, and so does the gate.
  if (machine.kind === 'control-door')
    return nodes.some((m) => m.kind === 'operator' && m.network === machine.network);
  const isNear =
    nodes.some((m) => m.network === machine.network) &&
    (machine.kind === 'node' || machine.kind === 'application');
  return isNear || doors.some((link) => machine.kind === 'operator' && machine.address === link.destination);
}

export function tunnelShown(
  machine: WorldMachine,
  operator: string | null,
  allowed: readonly Opened[],
  sightings: readonly Sighting[],
): boolean {
  const answered = allowed.some(
    (a) =>
      a.machine === machine &&
      a.tries.some((t) => t.control === 'tunnel' && a.answer.results.get(t.id)?.state === 'answered'),
  );
  return answered && sightings.some((s) => s.place === 'watcher' && s.of === operator && s.seen.length > 0);
}
