/**
 * control → operator: which rings shall be, and by which doors. operator → control: how far it is, and what each node says.
 */
import { Type, type Static } from 'typebox';
import { FaultSchema, Nullable } from './json.ts';
import { JoinFile, NodeReport } from './node.ts';

export const OperatorNode = Type.Object({
  name: Type.String(),
  /** Its ring address in the customer's network. */
  address: Type.String(),
  rack: Type.String(),
  /** Which machine it is, in any words that stay: another value means that the machine was replaced, and the node of
   *  this name is expected anew with a new join file. Left out: it never was. */
  machine: Type.Optional(Type.String()),
});
export type OperatorNode = Static<typeof OperatorNode>;

export const OperatorDataCenter = Type.Object({
  name: Type.String(),
  /** The private endpoint that its nodes dial. */
  endpoint: Type.Object({ address: Type.String(), port: Type.Integer() }),
  /** IPv4 prefixes from which CQL is let in. */
  clients: Type.Array(Type.String()),
  nodes: Type.Array(OperatorNode),
  heapMegabytes: Type.Integer(),
  yamlFragment: Nullable(Type.String()),
});
export type OperatorDataCenter = Static<typeof OperatorDataCenter>;

export const OperatorIntent = Type.Object({
  cluster: Type.Object({
    /** ARM id, for the log. */
    id: Type.String(),
    /** Unique in this installation and safe in a URI: names the SPIFFE identity. */
    identity: Type.String(),
    /** cassandra.yaml cluster_name. */
    cassandraName: Type.String(),
    /** Its own random ULA /48: `fd12:3456:789a::/48`. */
    ulaPrefix: Type.String(),
    authentication: Type.Union([Type.Literal('Cassandra'), Type.Literal('None')]),
    adminPasswordHash: Nullable(Type.String()),
    serviceRole: Type.String(),
    servicePassword: Type.String(),
  }),
  dataCenters: Type.Array(OperatorDataCenter),
});
export type OperatorIntent = Static<typeof OperatorIntent>;

/** expected: its join file is out, its key was never seen. enrolled: it has its certificates.
 *  connected: it reports. silent: it did, and doesn't now. */
export const NodePhase = Type.Union([
  Type.Literal('expected'),
  Type.Literal('enrolled'),
  Type.Literal('connected'),
  Type.Literal('silent'),
]);

export const OperatorNodeReport = Type.Object({
  name: Type.String(),
  address: Type.String(),
  dataCenter: Type.String(),
  phase: NodePhase,
  /** ISO 8601 of the last report. */
  lastSeen: Nullable(Type.String()),
  /** Present while, and only while, the node has not enrolled. */
  join: Nullable(JoinFile),
  /** The last report. */
  report: Nullable(NodeReport),
});
export type OperatorNodeReport = Static<typeof OperatorNodeReport>;

export const DataCenterPhase = Type.Union([
  Type.Literal('enrolling'),
  Type.Literal('starting'),
  Type.Literal('securing'),
  Type.Literal('ready'),
  Type.Literal('failed'),
]);

export const OperatorReport = Type.Object({
  wireguard: Type.Object({ publicKey: Type.String(), listening: Type.Boolean() }),
  /** Certificates of the cluster's authorities, PEM. */
  authorities: Type.Object({ internode: Type.String(), client: Type.String(), exchange: Type.String() }),
  dataCenters: Type.Array(
    Type.Object({
      name: Type.String(),
      phase: DataCenterPhase,
      /** What it waits for, in words a person can act on; null when ready. */
      waitingFor: Nullable(Type.String()),
      error: Nullable(FaultSchema),
    }),
  ),
  nodes: Type.Array(OperatorNodeReport),
  /** The latest refusals at the enrolment port, oldest first, at most 20. */
  refusals: Type.Array(Type.Object({ at: Type.String(), code: Type.String(), message: Type.String() })),
});
export type OperatorReport = Static<typeof OperatorReport>;

/** The file control seeds an operator's machine with; its token is good for one enrolment. */
export const OperatorJoinFile = Type.Object({
  version: Type.Literal(1),
  cluster: Type.String(),
  control: Type.Object({
    address: Type.String(),
    /** Of the exchange. */
    port: Type.Integer(),
    /** Where the one enrolment is; `ports.controlEnrolment` when left out. */
    enrolmentPort: Type.Optional(Type.Integer()),
    name: Type.String(),
    authority: Type.String(),
  }),
  token: Type.String(),
});
export type OperatorJoinFile = Static<typeof OperatorJoinFile>;
