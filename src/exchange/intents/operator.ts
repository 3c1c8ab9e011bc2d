/**
 * control → operator: which rings shall be, and by which doors. operator → control: how far it is, and what each node says.
 */
import { Type, type Static } from 'typebox';
import { FaultSchema, Nullable } from './json.ts';
import { CommandReport, JoinFile, LogPlace, NodeReport } from './node.ts';

export const OperatorNode = Type.Object({
  name: Type.String(),
  /** Its ring address in the customer's network. */
  address: Type.String(),
  rack: Type.String(),
  /** Which machine it is, in any words that stay: another value means that the machine was replaced, and the node of
   *  this name is expected anew with a new join file. Left out: it never was. */
  machine: Type.Optional(Type.String()),
  /** True: it shall leave the ring. It is decommissioned, one node at a time, and stays in this list until its report
   *  says `membership: 'left'`; only then may it, and its machine, go. Asking it back before it has begun to leave is fine. */
  leaving: Type.Optional(Type.Boolean()),
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
  /** True: Cassandra is drained and stopped on every node; data, agent and tunnel stay. */
  deallocated: Type.Optional(Type.Boolean()),
});
export type OperatorDataCenter = Static<typeof OperatorDataCenter>;

/** One run of a nodetool subcommand that reads, at most once per id. */
export const OperatorCommand = Type.Object({
  id: Type.String(),
  dataCenter: Type.String(),
  /** Ring address of the node that runs it. */
  host: Type.String(),
  command: Type.Literal('nodetool'),
  /** The subcommand first, then its own arguments. Never a secret: arguments are public. */
  arguments: Type.Array(Type.String()),
});
export type OperatorCommand = Static<typeof OperatorCommand>;

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
    /** Whether each node writes an audit log. Left out: none does. */
    auditLog: Type.Optional(Type.Boolean()),
  }),
  dataCenters: Type.Array(OperatorDataCenter),
  /** Kept here until whoever asked has its result; a command that is gone from the list is forgotten. */
  commands: Type.Optional(Type.Array(OperatorCommand)),
  /** By what it reaches services: it dials this address by an account's name. Left out: it reaches none. */
  gate: Type.Optional(
    Type.Object({
      address: Type.String(),
      port: Type.Integer(),
      /** Signs what the gate shows to this cluster, PEM. */
      authority: Type.String(),
      /** Host names. */
      accounts: Type.Array(Type.String()),
      /** Where the nodes' logs are kept. */
      logs: Type.Optional(LogPlace),
      /** Where the nodes' metrics go: the host name of one of the accounts. Left out: nowhere. */
      metrics: Type.Optional(Type.Object({ account: Type.String() })),
    }),
  ),
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

/** Where a node stands in the ring. waiting: its turn to join has not come. joining: it bootstraps. member: its tokens are
 *  its own; its turn to leave may be awaited. leaving: it streams its data away. left: out, for good; its machine may go. */
export const Membership = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('joining'),
  Type.Literal('member'),
  Type.Literal('leaving'),
  Type.Literal('left'),
]);
export type Membership = Static<typeof Membership>;

export const OperatorNodeReport = Type.Object({
  name: Type.String(),
  address: Type.String(),
  dataCenter: Type.String(),
  phase: NodePhase,
  /** Left out by an operator that is older than this field. */
  membership: Type.Optional(Membership),
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
  /** It serves, and a node is joining or leaving, or waits to. */
  Type.Literal('scaling'),
  /** Cassandra is stopped on every node, as intended; `starting` on the way back, `deallocating` on the way there. */
  Type.Literal('deallocating'),
  Type.Literal('deallocated'),
  Type.Literal('failed'),
]);

/** The nodes' metrics on their way to an account. */
export const MetricsReport = Type.Object({
  account: Type.String(),
  /** ISO 8601: what was collected up to some ten seconds before has arrived. Null: since the operator's start nothing has. */
  sentThrough: Nullable(Type.String()),
  /** Why nothing is collected, or what was has not arrived, in words a person can act on; null: nothing is in the way. */
  waitingFor: Nullable(Type.String()),
  /** Bytes on the operator's disk that have not arrived. */
  waiting: Type.Integer(),
  /** The last time that something was given up, and why; null: nothing was since the operator's start. */
  lost: Nullable(Type.Object({ at: Type.String(), why: Type.String() })),
  /** Nodes that are asked and don't answer, at most 20. */
  silent: Type.Array(Type.Object({ node: Type.String(), error: Type.String() })),
  /** How many nodes are asked: none before the first serves, or while the cluster rests. Left out by an operator older than this field. */
  asked: Type.Optional(Type.Integer()),
});
export type MetricsReport = Static<typeof MetricsReport>;

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
      /** People's keyspaces whose replication names it, at most 100. Left out where no node that reports knows. */
      keyspaces: Type.Optional(Type.Array(Type.String())),
      /** After the last node that joined: which of the older ones have dropped what is no longer theirs, which have still to,
       *  in turn, and why the last try of one failed. It is no operation's affair. */
      cleanup: Type.Optional(
        Type.Object({
          due: Type.Array(Type.String()),
          done: Type.Array(Type.String()),
          failed: Type.Array(Type.Object({ node: Type.String(), error: FaultSchema })),
        }),
      ),
    }),
  ),
  nodes: Type.Array(OperatorNodeReport),
  /** The latest refusals at the enrolment port, oldest first, at most 20. */
  refusals: Type.Array(Type.Object({ at: Type.String(), code: Type.String(), message: Type.String() })),
  /** Left out: the cluster may reach no account for them, or the operator is older than this field. */
  metrics: Type.Optional(MetricsReport),
  /** By id, those of the intent. One that is not here yet waits for its node. */
  commands: Type.Optional(Type.Record(Type.String(), CommandReport)),
});
export type OperatorReport = Static<typeof OperatorReport>;
