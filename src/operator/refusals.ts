/** What was refused at the enrolment port, for control and for people: the latest twenty, repeats of one counted once. */
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

export type Refusal = OperatorReport['refusals'][number];

export interface Refusals {
  record(code: string, message: string): void;
  /** Oldest first. */
  latest(): readonly Refusal[];
}

const most = 20;

export function createRefusals(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange?: () => void;
}): Refusals {
  let kept: Refusal[] = [];
  return {
    record(code, message) {
      options.log.warn('refused', { code, reason: message });
      const same = kept.filter((one) => one.code !== code || one.message !== message);
      kept = [...same, { at: new Date(options.clock.now()).toISOString(), code, message }].slice(-most);
      options.onChange?.();
    },
    latest: () => kept,
  };
}
