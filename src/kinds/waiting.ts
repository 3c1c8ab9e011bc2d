import type { JsonObject } from '../store/resource.ts';
import type { Pass } from './pass.ts';

/** What a resource waits for, in words a person can act on. */
export interface Waiting {
  readonly code: string;
  readonly message: string;
  /** ISO 8601: since when it waits for just this. */
  readonly since: string;
  /** It has lasted longer than it should: shown as provisionError. */
  readonly long: boolean;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
}

export const longAfterMs = 20_000;

/** The same wait goes on; another begins now. */
export function waitFor(
  before: Waiting | null,
  reason: Reason,
  { now, again }: Pick<Pass, 'now' | 'again'>,
): Waiting {
  const same = before?.code === reason.code && before.message === reason.message ? before : undefined;
  if (same?.long) return same;
  const since = same ? Date.parse(same.since) : now;
  if (same && now - since >= longAfterMs) return { ...same, long: true };
  again(since + longAfterMs);
  return same ?? { ...reason, since: new Date(now).toISOString(), long: false };
}

/** `provisionError` and `waitingFor` as shown; both absent where nothing is waited for. */
export function showWaiting(waiting: Waiting | null, fault: Reason | null, target: string): JsonObject {
  const error = fault ?? (waiting?.long ? waiting : null);
  return {
    ...(error && {
      provisionError: {
        code: error.code,
        message: error.message,
        target,
        additionalErrorInfo: waiting ? `Waiting since ${waiting.since}.` : null,
      },
    }),
    ...(waiting && { waitingFor: waiting.message }),
  };
}
