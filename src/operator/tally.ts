/** Things that may happen thousands of times, in the log: the first of a kind at once, then how many there were, once a minute. */
import type { Clock } from '../lib/clock.ts';
import type { Log, LogFields } from '../lib/log.ts';

export interface Tally {
  note(what: string, fields: LogFields): void;
  /** Says what has gathered, where its minute is over. */
  flush(): void;
}

const everyMs = 60_000;
/** Kinds that are told apart; whoever makes up more isn't. */
const most = 256;

export function createTally({ clock, log }: { readonly clock: Clock; readonly log: Log }): Tally {
  const kept = new Map<string, { fields: LogFields; count: number; at: number }>();
  const flush = (): void => {
    for (const [key, entry] of kept) {
      if (clock.now() - entry.at < everyMs) continue;
      if (entry.count === 0) kept.delete(key);
      else {
        log.warn(key.split('\n')[0]!, { ...entry.fields, count: entry.count });
        kept.set(key, { ...entry, count: 0, at: clock.now() });
      }
    }
  };
  return {
    flush,
    note(what, fields) {
      flush();
      const key = `${what}\n${JSON.stringify(fields)}`;
      const entry = kept.get(key);
      if (entry) entry.count++;
      else if (kept.size < most) {
        kept.set(key, { fields, count: 0, at: clock.now() });
        log.warn(what, { ...fields, count: 1 });
      }
    },
  };
}
