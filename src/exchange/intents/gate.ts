/**
 * control → gate: which clusters may come, and what each of them may reach. gate → control: what stands, and what has passed.
 * The gate knows no ARM resource. Nothing in these documents is a secret: keys are made on the gate and stay there.
 */
import { Type, type Static } from 'typebox';
import { FaultSchema, Nullable } from './json.ts';

export const GateMethod = Type.Union([
  Type.Literal('GET'),
  Type.Literal('HEAD'),
  Type.Literal('PUT'),
  Type.Literal('POST'),
  Type.Literal('PATCH'),
  Type.Literal('DELETE'),
  Type.Literal('OPTIONS'),
]);
export type GateMethod = Static<typeof GateMethod>;

/** One thing that may be asked of an account. A stream runs on for as long as the rule that let it in stands, word for word. */
export const GateRule = Type.Object({
  /** Empty: every method. */
  methods: Type.Array(GateMethod),
  /** `/logs`: that path and what is below it; null: every path. */
  path: Nullable(Type.String()),
});
export type GateRule = Static<typeof GateRule>;

export const GateAccount = Type.Object({
  /** The one name by which it is dialled and asked for: `logs.blob.core.windows.net`. */
  name: Type.String(),
  /** False: it is known by name, and nothing passes. */
  enabled: Type.Boolean(),
  upstream: Type.Object({
    /** An IP address: the gate has no resolver. */
    address: Type.String(),
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    /** Who signs the service's certificate, PEM. The certificate must bear the account's name. */
    authority: Type.String(),
  }),
  /** Any of these lets a request through; a rule that bounds nothing lets all through. */
  rules: Type.Array(GateRule),
});
export type GateAccount = Static<typeof GateAccount>;

/** One cluster's operator: who it is told by its address, which the network vouches for. */
export const GateCluster = Type.Object({
  identity: Type.String(),
  /** Its operator's IPv4 address; who comes from another one is turned away before TLS. */
  source: Type.String(),
  /** The port that its connections are led to inside the gate's machine. No two clusters share one. */
  port: Type.Integer({ minimum: 1024, maximum: 65535 }),
  accounts: Type.Array(GateAccount),
});
export type GateCluster = Static<typeof GateCluster>;

export const GateIntent = Type.Object({ clusters: Type.Array(GateCluster) });
export type GateIntent = Static<typeof GateIntent>;

export const GateAccountReport = Type.Object({
  /** open: it is let through. closed: it is known and not enabled. refused: what was said of it can't be enforced. */
  state: Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('refused')]),
  /** Bytes of HTTP towards the account, since the gate first knew it. */
  sent: Type.Integer(),
  /** Bytes of HTTP from the account. */
  received: Type.Integer(),
  /** What the last probe of the service said; null before the first. */
  upstream: Nullable(Type.Union([Type.Literal('up'), Type.Literal('down')])),
  error: Nullable(FaultSchema),
});
export type GateAccountReport = Static<typeof GateAccountReport>;

export const GateClusterReport = Type.Object({
  /** Certificate of the authority that signs what the gate shows this cluster, PEM; no other cluster's. */
  authority: Type.String(),
  accounts: Type.Record(Type.String(), GateAccountReport),
  error: Nullable(FaultSchema),
});
export type GateClusterReport = Static<typeof GateClusterReport>;

export const GateRefusal = Type.Object({
  /** ISO 8601. */
  at: Type.String(),
  cluster: Type.String(),
  code: Type.String(),
  /** The name that was dialled, as far as it was said. */
  name: Nullable(Type.String()),
});
export type GateRefusal = Static<typeof GateRefusal>;

export const GateReport = Type.Object({
  /** passing: the proxy runs with what is intended. closed: nothing passes, as intended. failed: `error` says why. */
  state: Type.Union([Type.Literal('passing'), Type.Literal('closed'), Type.Literal('failed')]),
  error: Nullable(FaultSchema),
  clusters: Type.Record(Type.String(), GateClusterReport),
  /** How often the proxy was started in this gate's life. */
  starts: Type.Integer(),
  /** Requests and connections that were refused, since the gate was made. */
  refused: Type.Integer(),
  /** The latest of them, oldest first, at most 20. */
  refusals: Type.Array(GateRefusal),
});
export type GateReport = Static<typeof GateReport>;
