import type { Clock } from '../lib/clock.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Reconciler } from './reconciler.ts';

export interface Driven<S> {
  /** Something may have changed: run a pass now, or one more after the pass that is running. */
  wake(reason: string): void;
  /** The last pass: its number, why it ran, how it ended. */
  last():
    | {
        readonly pass: number;
        readonly reason: string;
        readonly status: S | { readonly at: 'broken'; readonly error: Fault };
      }
    | undefined;
  /** Resolves when the driver has stopped, after its signal aborted and the running pass ended. */
  readonly stopped: Promise<void>;
}

/** Runs one reconciler until `signal` aborts: on every wake and on its period, one pass at a time. */
export function drive<S>(
  reconciler: Reconciler<S>,
  options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly signal: AbortSignal;
    readonly onPass?: (status: S) => void;
  },
): Driven<S> {
  const log = options.log.with({ reconciler: reconciler.name });
  let reasons: string[] = ['start'];
  let ring: (() => void) | undefined;
  let last: ReturnType<Driven<S>['last']>;

  const stopped = (async () => {
    for (let pass = 1; !options.signal.aborted; pass++) {
      if (reasons.length === 0) {
        const bell = new AbortController();
        ring = () => bell.abort();
        await options.clock.sleep(reconciler.periodMs, AbortSignal.any([bell.signal, options.signal]));
        ring = undefined;
        if (options.signal.aborted) break;
      }
      const reason = reasons.length > 0 ? reasons.join(', ') : 'period';
      reasons = [];
      try {
        const status = await reconciler.reconcile(options.signal);
        last = { pass, reason, status };
        options.onPass?.(status);
      } catch (error) {
        // A pass that throws is our fault, not a state of the world: say so loudly, and go on with the next.
        last = { pass, reason, status: { at: 'broken', error: faultOf(error) } };
        log.error('pass broke', { pass, reason, error });
      }
    }
  })();

  return {
    wake(reason) {
      if (!reasons.includes(reason)) reasons.push(reason);
      ring?.();
    },
    last: () => last,
    stopped,
  };
}
