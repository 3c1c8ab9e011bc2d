/** When logs are sent, and what is said of it: again and again, less often while it fails. */
import type { NodeReport } from '../../exchange/intents/node.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { createPatience } from '../../lib/patience.ts';
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
  const patience = createPatience({
    ...{ clock, periodMs: times.periodMs, longestPauseMs: times.longestPauseMs },
    // Once for each reason: the log is what is sent.
    onChange(reason) {
      if (reason === null) log.info('logs are sent again');
      else log.warn('logs wait', { reason });
      options.onChange();
    },
  });

  async function pass(signal: AbortSignal): Promise<void> {
    const place = options.place();
    if (!place) return;
    if (!patience.isDue(place)) return;
    const began = clock.now();
    const store = openStore(place, times.requestMs, signal);
    try {
      await shipper.ship(store, place, patience.clear, signal);
      if (signal.aborted) return;
      sentThrough = new Date(began).toISOString();
      patience.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Waiting) return patience.failed(error.message);
      // Not one that was foreseen: its message may hold anything, and goes no further than the log.
      if (patience.waitingFor() === null) log.error('logs could not be sent', { error });
      patience.failed(`The logs can't be read or sent (${faultOf(error).code}): see node.log.`);
    } finally {
      store.close();
    }
  }

  return {
    reconciler: { name: 'logs', periodMs: times.periodMs, reconcile: pass },
    report: () => options.place() && { sentThrough, waitingFor: patience.waitingFor() },
  };
}
