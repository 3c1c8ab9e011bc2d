import type { Clock } from './clock.ts';

/** Something that is tried again and again, less often while it fails, and what is said of it meanwhile. */
export interface Patience {
  /** Whether it is to be tried now. `towards` is where to: another place is not waited for because of the last one. */
  isDue(towards: unknown): boolean;
  /** It failed, for this reason in words for people. */
  failed(reason: string): void;
  /** The far side answers: the next failure is the first. What is in the way may be so still. */
  answered(): void;
  /** Nothing is in the way any more. */
  clear(): void;
  /** Both. */
  succeeded(): void;
  /** Null: nothing is in the way. */
  waitingFor(): string | null;
}

export function createPatience(options: {
  readonly clock: Clock;
  /** Milliseconds until the second try; each one after that waits twice as long. */
  readonly periodMs: number;
  readonly longestPauseMs: number;
  /** What is waited for is another thing; null: nothing is any more. Once for each reason. */
  readonly onChange: (reason: string | null) => void;
}): Patience {
  const { clock, periodMs, longestPauseMs, onChange } = options;
  let waitingFor: string | null = null;
  let failures = 0;
  let notBefore = 0;
  let tried = '';

  function say(now: string | null): void {
    if (now === waitingFor) return;
    waitingFor = now;
    onChange(now);
  }

  return {
    isDue(towards) {
      const key = JSON.stringify(towards);
      if (key === tried && clock.now() < notBefore) return false;
      tried = key;
      return true;
    },
    failed(reason) {
      notBefore = clock.now() + Math.min(periodMs * 2 ** failures++, longestPauseMs);
      say(reason);
    },
    answered: () => void (failures = 0),
    clear: () => say(null),
    succeeded() {
      failures = 0;
      say(null);
    },
    waitingFor: () => waitingFor,
  };
}
