/**
 * What `verify` found, as it is sent, stored and shown. No secret, and no path of the host, is in it.
 */
import { Type, type Static } from 'typebox';

const literals = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values });

/** What stopped a try, from inside out. */
export const walls = [
  'no capability',
  "node's door",
  'no route',
  'kernel',
  'WireGuard',
  'platform policy',
  "customer's NSG",
  'private link',
  "operator's door",
  'gate',
  'namespace',
  'system call filter',
] as const;
export type Wall = (typeof walls)[number];

export const Identity = literals(['root', 'cassandra']);
export type Identity = Static<typeof Identity>;

/** `flushed`: the machine's root had thrown the node's own rules away, so that only the walls outside it stood. */
export const Rules = literals(['in force', 'flushed']);
export type Rules = Static<typeof Rules>;

export const VerifiedTry = Type.Object({
  machine: Type.String(),
  as: Identity,
  rules: Rules,
  /** The means: "TCP", "DNS over UDP", "a forged frame (AF_PACKET)". */
  what: Type.String(),
  /** The aim, with the address. */
  towards: Type.String(),
  outcome: literals(['stopped', 'leaked', 'not proved']),
  /** What stopped it; null unless it was stopped. */
  wall: Type.Union([literals(walls), Type.Null()]),
  /** What the prober and the recorders say, in words. */
  evidence: Type.String(),
});
export type VerifiedTry = Static<typeof VerifiedTry>;

/** Something that had to be seen, so that "not seen" means something. */
export const Control = Type.Object({
  /** `protocol`: the application machine did the same and was seen. `recorder`: it sees. `allowed`: what is allowed works.
   *  `rules`: the node's rules were gone when they had to be, and are back. */
  kind: literals(['protocol', 'recorder', 'allowed', 'rules']),
  what: Type.String(),
  from: Type.String(),
  seen: Type.Boolean(),
  evidence: Type.String(),
});
export type Control = Static<typeof Control>;

export const VerifyResult = Type.Object({
  /** `leak` if anything got out; `proved` only if every try was stopped and every control was seen. */
  verdict: literals(['proved', 'not proved', 'leak']),
  machines: Type.Array(
    Type.Object({
      id: Type.String(),
      hostname: Type.String(),
      network: Type.String(),
      address: Type.String(),
    }),
  ),
  tries: Type.Array(VerifiedTry),
  controls: Type.Array(Control),
  /** ISO 8601. */
  startedAt: Type.String(),
  seconds: Type.Number(),
  /** The result in three lines, for people. */
  summary: Type.Tuple([Type.String(), Type.String(), Type.String()]),
});
export type VerifyResult = Static<typeof VerifyResult>;
