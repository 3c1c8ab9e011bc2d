import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { bornPolicy, type DoorPolicy } from '../network/door.ts';
import { applyDoor, readDoor, type DoorInForce } from '../network/door-rules.ts';

export interface DoorStatus {
  readonly policy: DoorPolicy;
  readonly error: Fault | null;
  readonly limits: readonly string[];
}

/** Keeps one policy in force. Whoever wants another says so; whatever else changes the rules is undone and reported. */
export interface DoorKeeper {
  /** Makes `policy` so, hooks of new devices included, and returns when it is in force or has failed to be; calls queue up. */
  keep(policy: DoorPolicy): Promise<DoorStatus>;
  /** Reads the rules again and puts them back when they differ. */
  check(): Promise<DoorStatus>;
  status(): DoorStatus;
}

export interface DoorOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a fault that has been mended is still told. */
const tellMs = 60_000;

/**
 * The first thing an agent does: the policy of its earlier life, or `born`. Throws when no policy can be put in force:
 * without one the interface must stay down.
 */
export async function openDoor({ path, clock, log }: DoorOptions): Promise<DoorKeeper> {
  let error: Fault | null = null;
  let policy = await earlierPolicy(path).catch((reason: unknown) => {
    error = {
      code: 'DoorStateUnreadable',
      message: `The kept door policy can't be read: ${faultOf(reason).message}`,
    };
    log.error('the kept door policy is not readable: closed until the intent is read', { error: reason });
    return bornPolicy;
  });
  let hooks = await hooksFor(policy);
  let inForce: DoorInForce = await applyDoor(policy, hooks);
  log.info('door', { state: policy.state });
  let mendedAt = clock.now();
  let unkept: Fault | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const status = (): DoorStatus => ({ policy, error, limits: inForce.limits });

  async function persist(shall: DoorPolicy): Promise<void> {
    try {
      await writeJson(path, shall);
      unkept = null;
    } catch (reason) {
      if (!unkept) log.error('the door policy is in force, but could not be kept', { error: reason });
      unkept = {
        code: 'DoorStateNotKept',
        message: `The door policy can't be written to disk: ${faultOf(reason).message}`,
      };
    }
  }

  async function pass(wanted: DoorPolicy, reread: boolean): Promise<DoorStatus> {
    try {
      // Retired is for good: whoever asks for another state asks too late.
      const shall = policy.state === 'retired' ? policy : wanted;
      const changed = JSON.stringify(shall) !== JSON.stringify(policy);
      const now = await hooksFor(shall);
      const other = now.nic !== hooks.nic || now.tunnel !== hooks.tunnel;
      const tampered = reread && !changed && !other && (await readDoor()) !== inForce.listing;
      if (!changed && !other && !tampered) {
        if (unkept && reread) await persist(policy);
        if (reread && clock.now() - mendedAt > tellMs) error = null;
        return status();
      }
      // On disk first: a start in between must never find less than what was decided. A full disk keeps no door open.
      if (changed) await persist(shall);
      inForce = await applyDoor(shall, now);
      if (changed && shall.state !== policy.state)
        log.info('door', { state: shall.state, before: policy.state });
      policy = shall;
      hooks = now;
      mendedAt = clock.now();
      error = tampered
        ? {
            code: 'DoorRulesRestored',
            message: 'The door rules were not as they shall be; they were put back.',
          }
        : null;
      if (unkept) error = unkept;
      if (tampered) log.warn('the door rules had been changed: put back', { state: policy.state });
    } catch (reason) {
      error = faultOf(reason);
      log.error('the door policy could not be put in force', { state: wanted.state, error: reason });
    }
    return status();
  }

  const queued = (wanted: () => DoorPolicy, reread: boolean): Promise<DoorStatus> => {
    const run = queue.then(() => pass(wanted(), reread));
    queue = run;
    return run;
  };

  return { keep: (wanted) => queued(() => wanted, false), check: () => queued(() => policy, true), status };
}

async function earlierPolicy(path: string): Promise<DoorPolicy> {
  return (await readJson<DoorPolicy>(path)) ?? bornPolicy;
}

async function hooksFor(policy: DoorPolicy): Promise<{ nic: boolean; tunnel: boolean }> {
  const devices = await devicesThere();
  return {
    nic: policy.nic !== null && devices.includes(policy.nic.device),
    tunnel: policy.tunnel !== null && devices.includes(policy.tunnel.device),
  };
}

/** Names of the machine's network devices, up or down: os.networkInterfaces() knows only those that are up. */
export async function devicesThere(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/net/dev', 'utf8').catch(() => undefined);
  if (text === undefined) return Object.keys(networkInterfaces());
  return text
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]!.trim());
}
