import { randomBytes } from 'node:crypto';
import { until, type Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import { parseAnswer } from './batch.ts';
import type { Sighting } from './judge.ts';
import type { Facts } from './facts.ts';
import type { Control } from './result.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

/** A prober that stands inside a machine at the end of a tunnel, where no recorder outside can look into the packets. */
export interface Watcher {
  readonly machine: WorldMachine;
  /** Ends it and says what it saw. Throws when it did not watch to the end. */
  stop(): Promise<readonly Sighting[]>;
}

async function startWatcher(
  world: VerifyWorld,
  machine: WorldMachine,
  options: {
    readonly program: string;
    readonly device: string;
    readonly ports: readonly number[];
    readonly token: string;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<Watcher> {
  const ready = `/tmp/.sallyport-verify-${options.token}-ready`;
  const stop = `/tmp/.sallyport-verify-${options.token}-stop`;
  const order = [
    'watch',
    `devs=${options.device}`,
    `ports=${options.ports.join(',')}`,
    `ready=${ready}`,
    `stop=${stop}`,
    'seconds=90',
  ];
  const running = world.enter(machine.id, ['/usr/bin/perl', '-'], {
    as: 'root',
    input: `${options.program}${order.join('\t')}\n`,
    timeoutMs: 100_000,
  });
  let ended: { readonly stderr: string } | undefined;
  running.then(
    (said) => (ended = said),
    (error: unknown) => (ended = { stderr: String(error) }),
  );
  await until(
    `the watcher in ${machine.hostname}`,
    async () => {
      if (ended)
        throw new Error(`The watcher in ${machine.hostname} ended: ${ended.stderr.trim().slice(0, 300)}`);
      const said = await world.enter(machine.id, ['/usr/bin/test', '-e', ready], {
        as: 'root',
        timeoutMs: 5000,
      });
      return said.exitCode === 0 ? true : undefined;
    },
    { timeoutMs: 8000, everyMs: 50, clock: options.clock, signal: options.signal },
  );
  return {
    machine,
    async stop() {
      await world.enter(machine.id, ['/usr/bin/touch', stop], { as: 'root', timeoutMs: 5000 });
      const answer = parseAnswer((await running).stdout);
      const state = answer.results.get('watch');
      if (state?.state !== 'sent')
        throw new Error(
          `The watcher in ${machine.hostname} did not watch: ${state?.detail ?? 'it said nothing'}`,
        );
      return (['watcher', 'listener'] as const).map((place) => ({
        place,
        of: machine.id,
        seen: answer.seen.filter((s) => (s.place === 'listener') === (place === 'listener')),
      }));
    },
  };
}

const unwatched = (machine: WorldMachine, error: unknown): Control => ({
  kind: 'recorder',
  what: 'in the tunnel',
  from: machine.hostname,
  seen: false,
  evidence: faultOf(error).message,
});

/** One in each node that tries and in each operator, where there is a tunnel. */
export async function startWatchers(
  world: VerifyWorld,
  nodes: readonly WorldMachine[],
  facts: ReadonlyMap<string, Facts>,
  options: {
    readonly program: string;
    readonly ports: readonly number[];
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly watchers: readonly Watcher[]; readonly missing: readonly Control[] }> {
  const token = randomBytes(4).toString('hex');
  const missing: Control[] = [];
  const watched = world.machines.filter((m) => m.kind === 'operator' || nodes.includes(m));
  const started = await Promise.all(
    watched.map(async (machine) => {
      const device = facts.get(machine.id)?.tunnel?.device;
      if (!device) return [];
      try {
        return [await startWatcher(world, machine, { ...options, device, token })];
      } catch (error) {
        missing.push(unwatched(machine, error));
        return [];
      }
    }),
  );
  return { watchers: started.flat(), missing };
}

export async function stopWatchers(
  watchers: readonly Watcher[],
): Promise<{ readonly sightings: readonly Sighting[]; readonly failed: readonly Control[] }> {
  const failed: Control[] = [];
  const stopped = await Promise.all(
    watchers.map(async (watcher) => {
      try {
        return await watcher.stop();
      } catch (error) {
        failed.push(unwatched(watcher.machine, error));
        return [];
      }
    }),
  );
  return { sightings: stopped.flat(), failed };
}
