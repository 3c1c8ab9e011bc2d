/**
 * reconcile/ knows how to run reconcilers: signal, period, one at a time, status. It must know no kind and no store.
 */
import type { Fault } from '../lib/errors.ts';

export interface Failure {
  readonly item: string;
  readonly error: Fault;
}

/** How a pass ended. Every way to fail has a name; a pass never throws. */
export type Status =
  | { readonly at: 'reading'; readonly error: Fault }
  | { readonly at: 'planning'; readonly error: Fault }
  | {
      readonly at: 'applied';
      /** Looked at, and found as they shall be; where the reconciler counts them. */
      readonly unchanged: number;
      readonly applied: readonly string[];
      readonly cleared: readonly string[];
      readonly failed: readonly Failure[];
    };

/** Takes no hint, is idempotent, never retries inside: the driver wakes it by signal and by period. */
export interface Reconciler<S = Status> {
  readonly name: string;
  /** Milliseconds between passes where nobody signals. */
  readonly periodMs: number;
  reconcile(signal: AbortSignal): Promise<S>;
}
