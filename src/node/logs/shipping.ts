/** When logs are sent, and what is said of it: again and again, less often while it fails. */
import type { NodeReport } from '../../exchange/intents/node.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Reconciler } from '../../reconcile/reconciler.ts';
import { Waiting } from './faults.ts';
import { openStore, type StorePlace } from './store.ts';
import type { Shipper } from './ship.ts';

export interface ShippingTimes {
  readonly periodMs: number;
  /** Of one request, to its answer's last byte. */
  readonly requestMs: number;
  readonly longestPauseMs: number;
}

export const shippingTimes: ShippingTimes = { periodMs: 10_000, requestMs: 30_000, longestPauseMs: 300_000 };

export interface LogShipping {
  readonly reconciler: Reconciler<void>;
  /** Undefined: nothing is to be sent anywhere. */
  report(): NonNullable<NodeReport['services']>['logs'];
}

export function createLogShipping(options: {
  readonly shipper: Shipper;
  /** Where to, as of now. */
  readonly place: () => StorePlace | undefined;
  /** What is waited for is another thing. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: ShippingTimes;
}): LogShipping {
  const { shipper, clock, log, times = shippingTimes } = options;
  let sentThrough: string | null = null;
  let waitingFor: string | null = null;
  let failures = 0;
  let notBefore = 0;
  let tried = '';

  function say(now: string | null): void {
    if (now === waitingFor) return;
    waitingFor = now;
    // Once for each reason: the log is what is sent.
    if (now === null) log.info('logs are sent again');
    else log.warn('logs wait', { reason: now });
    options.onChange();
  }

  async function pass(signal: AbortSignal): Promise<void> {
    const place = options.place();
    if (!place) return;
    const key = JSON.stringify(place);
    if (key === tried && clock.now() < notBefore) return;
    tried = key;
    const began = clock.now();
    const store = openStore(place, times.requestMs, signal);
    try {
      await shipper.ship(store, place, () => say(null), signal);
      if (signal.aborted) return;
      sentThrough = new Date(began).toISOString();
      failures = 0;
      say(null);
    } catch (error) {
      if (signal.aborted) return;
      notBefore = clock.now() + Math.min(times.periodMs * 2 ** failures++, times.longestPauseMs);
      if (error instanceof Waiting) return say(error.message);
      // Not one that was foreseen: its message may hold anything, and goes no further than the log.
      if (waitingFor === null) log.error('logs could not be sent', { error });
      say(`The logs can't be read or sent (${faultOf(error).code}): see node.log.`);
    } finally {
      store.close();
    }
  }

  return {
    reconciler: { name: 'logs', periodMs: times.periodMs, reconcile: pass },
    report: () => options.place() && { sentThrough, waitingFor },
  };
}
