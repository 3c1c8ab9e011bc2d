/** Time is passed in, so that whatever waits can be simulated. */
export interface Clock {
  /** Now, as milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds, or early when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/**
 * Asks `check` until it answers with something other than `undefined`, at most `timeoutMs` long.
 * Throws a TimeoutError that names `what` was waited for.
 */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  options: {
    readonly timeoutMs: number;
    readonly everyMs?: number;
    readonly clock?: Clock;
    readonly signal?: AbortSignal;
  },
): Promise<T> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await check();
    if (answer !== undefined) return answer;
    if (clock.now() >= deadline) throw new TimeoutError(what, options.timeoutMs);
    await clock.sleep(options.everyMs ?? 100, options.signal);
  }
}

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  constructor(what: string, timeoutMs: number) {
    super(`Waited ${Math.round(timeoutMs / 1000)} s for ${what}.`);
  }
}
