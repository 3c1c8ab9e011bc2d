import type { Clock } from '../lib/clock.ts';
import { ArmError } from './errors.ts';

/** Tokens: so many at once, and so many more each second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Rates {
  readonly reads: Rate;
  readonly writes: Rate;
  readonly deletes: Rate;
}

/** Generous: they keep one caller from taking all of control, and nobody at work ever meets them. */
export const defaultRates: Rates = {
  reads: { burst: 30_000, perSecond: 500 },
  writes: { burst: 3_000, perSecond: 50 },
  deletes: { burst: 3_000, perSecond: 50 },
};

/** Takes one token of a principal: the headers that say how many are left, or an ArmError (429) with Retry-After. */
export type Throttle = (principal: string, method: string) => Readonly<Record<string, string>>;

interface Bucket {
  tokens: number;
  at: number;
}

export function createThrottle(rates: Rates, clock: Pick<Clock, 'now'>): Throttle {
  const buckets = new Map<string, Bucket>();
  return (principal, method) => {
    const what = method === 'GET' || method === 'HEAD' ? 'reads' : method === 'DELETE' ? 'deletes' : 'writes';
    const rate = rates[what];
    const key = `${what} ${principal}`;
    const now = clock.now();
    const had = buckets.get(key);
    const bucket = fill(had ?? { tokens: rate.burst, at: now }, rate, now);
    buckets.set(key, bucket);
    if (bucket.tokens < 1) {
      const seconds = Math.max(1, Math.ceil((1 - bucket.tokens) / rate.perSecond));
      throw new ArmError(
        'TooManyRequests',
        `Too many requests of this kind (${what}) by this principal: ${rate.burst} at once, then ${rate.perSecond} a second. Wait ${seconds} s, as Retry-After says.`,
        { headers: { 'Retry-After': String(seconds), [header(what)]: '0' } },
      );
    }
    bucket.tokens -= 1;
    return { [header(what)]: String(Math.floor(bucket.tokens)) };
  };
}

const header = (what: string): string => `x-ms-ratelimit-remaining-subscription-${what}`;

function fill(bucket: Bucket, { burst, perSecond }: Rate, now: number): Bucket {
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
  return bucket;
}
