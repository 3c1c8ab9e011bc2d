import type { Clock } from '../lib/clock.ts';

/** How many wrong secrets of one client, and unproven ones of one source, may wait for their answer at a time. */
const waitingMost = { client: 5, source: 20 } as const;
const slowestMs = 4_000;
/** From so many wrong secrets on, each further one of that source waits longest, whichever client it guesses at. */
const patience = 20;
const forgottenMs = 600_000;

interface Entry {
  count: number;
  waiting: number;
  last: number;
}

export interface GuessGuard {
  /** Runs a check of a secret; undefined: too many of that source are being checked already. */
  check<T>(source: string, work: () => Promise<T>): Promise<T | undefined>;
  /** Waits before a wrong secret is answered, longer with every repeat; false: too many wait already. */
  wrong(client: string, source: string): Promise<boolean>;
  /** The right one ends a client's delay. */
  right(client: string): void;
}

/**
 * Slows guessing down, per client and per source. It never locks: what is known to be right is answered without asking here, so
 * that nobody can shut a client out by guessing at it.
 */
export function createGuessGuard(options: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): GuessGuard {
  const { clock, signal } = options;
  const clients = new Map<string, Entry>();
  const sources = new Map<string, Entry>();

  function entryOf(map: Map<string, Entry>, key: string): Entry {
    for (const [other, entry] of map)
      if (entry.waiting === 0 && clock.now() - entry.last > forgottenMs) map.delete(other);
    const entry = map.get(key) ?? { count: 0, waiting: 0, last: clock.now() };
    map.set(key, entry);
    return entry;
  }

  return {
    async check(source, work) {
      const entry = entryOf(sources, source);
      if (entry.waiting >= waitingMost.source) return undefined;
      entry.waiting++;
      try {
        return await work();
      } finally {
        entry.waiting--;
      }
    },
    async wrong(client, source) {
      const entry = entryOf(clients, client);
      const from = entryOf(sources, source);
      for (const one of [entry, from]) {
        one.count++;
        one.last = clock.now();
      }
      if (entry.waiting >= waitingMost.client || from.waiting >= waitingMost.source) return false;
      entry.waiting++;
      from.waiting++;
      const delay = from.count > patience ? slowestMs : Math.min(250 * 2 ** (entry.count - 1), slowestMs);
      await clock.sleep(delay, signal);
      entry.waiting--;
      from.waiting--;
      return true;
    },
    right: (client) => void clients.delete(client),
  };
}
