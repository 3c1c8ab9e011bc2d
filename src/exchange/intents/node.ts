/**
 * operator → node: what one Cassandra node shall be. node → operator: what it is.
 * The agent imports these as types only; whoever receives a report checks it against the schema.
 */
import { Type, type Static } from 'typebox';
import { FaultSchema, Nullable } from './json.ts';

/**
 * The door's states. There is no open one.
 * born: nothing at all. joining: tunnel and ring, CQL on loopback only. joined: CQL from the virtual network too.
 * blocked: the tunnel only. retired: nothing, for good.
 */
export const DoorState = Type.Union([
  Type.Literal('born'),
  Type.Literal('joining'),
  Type.Literal('joined'),
  Type.Literal('blocked'),
  Type.Literal('retired'),
]);
export type DoorState = Static<typeof DoorState>;

/** One-shot work, run at most once per id; the ledger on the node's disk remembers. */
export const NodeWork = Type.Union([
  /** Opens CQL on loopback while the door is still `joining`. */
  Type.Object({ id: Type.String(), kind: Type.Literal('start-native-transport') }),
  /** Puts the admin's hash in force, makes the service's own role, replicates system_auth over the racks. */
  Type.Object({
    id: Type.String(),
    kind: Type.Literal('secure-roles'),
    /** bcrypt, `$2a$…`; null: keep no admin login (a random password is set). */
    adminPasswordHash: Nullable(Type.String()),
    serviceRole: Type.String(),
    servicePassword: Type.String(),
    /** Data centre name → replication factor of system_auth. */
    authReplication: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
  }),
  /** Tries the default password on this node's own CQL port; done only when it is refused. */
  Type.Object({ id: Type.String(), kind: Type.Literal('check-default-password-refused') }),
  /** Streams the node's data to the others and takes it out of the ring; done only when Cassandra says so. */
  Type.Object({ id: Type.String(), kind: Type.Literal('decommission') }),
  /** Drops the data that has become other nodes' since they joined. It keeps no other work waiting. */
  Type.Object({ id: Type.String(), kind: Type.Literal('cleanup') }),
]);
export type NodeWork = Static<typeof NodeWork>;

/** One run of a nodetool subcommand that reads, at most once per id: what an agent's end interrupts has failed. */
export const NodeCommand = Type.Object({
  id: Type.String(),
  /** The subcommand first, then its own arguments. */
  arguments: Type.Array(Type.String()),
});
export type NodeCommand = Static<typeof NodeCommand>;

export const CommandReport = Type.Object({
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
  /** What it wrote, 1 MiB in all at most; where more was cut off, the error output's end says so. */
  output: Type.String(),
  errorOutput: Type.String(),
  /** `done`: nodetool's own, whatever it is. Null while it runs, and where it never ran to its end. */
  exitCode: Nullable(Type.Integer()),
  /** Only `failed`: why it could not be run, or not to its end. */
  error: Nullable(FaultSchema),
});
export type CommandReport = Static<typeof CommandReport>;

/** A container that logs are added to. */
export const LogPlace = Type.Object({
  /** Host name of one of the accounts. */
  account: Type.String(),
  container: Type.String(),
  /** The right to add to it, a query string: a secret, in no report and on no node's disk. */
  sas: Type.String(),
});
export type LogPlace = Static<typeof LogPlace>;

export const NodeIntent = Type.Object({
  name: Type.String(),
  door: Type.Object({
    state: DoorState,
    /** The private endpoint: the one address outside the ring. */
    endpoint: Type.Object({ address: Type.String(), port: Type.Integer() }),
    /** IPv4 addresses of the other nodes of the ring. */
    peers: Type.Array(Type.String()),
    /** IPv4 prefixes that may speak CQL when the door is `joined`. */
    clients: Type.Array(Type.String()),
    /** IPv4 prefixes that may ask for metrics when the door is `joined`; the operator then may too. Left out: nobody. */
    metrics: Type.Optional(Type.Array(Type.String())),
  }),
  certificates: Type.Object({
    /** PEM chain for the node's own internode key, and the authority it trusts for its peers. */
    internode: Type.Object({ certificate: Type.String(), authority: Type.String() }),
    client: Type.Object({ certificate: Type.String(), authority: Type.String() }),
  }),
  cassandra: Type.Object({
    /** `running`: kept running, started again when it dies. */
    process: Type.Union([Type.Literal('running'), Type.Literal('stopped')]),
    clusterName: Type.String(),
    /** spiffe://sallyport/<cluster>/node: who may be a member of this ring. */
    identity: Type.String(),
    dataCenter: Type.String(),
    rack: Type.String(),
    /** Preset tokens; empty: Cassandra chooses and bootstraps. */
    tokens: Type.Array(Type.String()),
    seeds: Type.Array(Type.String()),
    /** Cassandra's own authenticator. */
    authentication: Type.Union([
      Type.Literal('PasswordAuthenticator'),
      Type.Literal('AllowAllAuthenticator'),
    ]),
    authReplicationFactor: Type.Integer(),
    heapMegabytes: Type.Integer({ minimum: 64 }),
    /** The customer's cassandra.yaml fragment, already checked; null: none. */
    yamlFragment: Nullable(Type.String()),
    /** False only for the very first start of a new data centre. */
    startNativeTransport: Type.Boolean(),
    /** Whether it writes an audit log. Left out: it doesn't. */
    auditLog: Type.Optional(Type.Boolean()),
  }),
  work: Type.Array(NodeWork),
  commands: Type.Optional(Type.Array(NodeCommand)),
  /** How services are reached: by this port of the operator's tunnel address, each by its own name. Left out: none is. */
  services: Type.Optional(
    Type.Object({
      port: Type.Integer(),
      /** Signs what whoever answers there shows, PEM: the gate, and nobody else. */
      authority: Type.String(),
      /** Host names. */
      accounts: Type.Array(Type.String()),
      /** Where this node's logs are kept. Left out: on its disk alone. */
      logs: Type.Optional(LogPlace),
    }),
  ),
});
export type NodeIntent = Static<typeof NodeIntent>;

export const CassandraReport = Type.Object({
  process: Type.Union([
    Type.Literal('absent'),
    Type.Literal('starting'),
    Type.Literal('running'),
    Type.Literal('stopped'),
    Type.Literal('failed'),
  ]),
  error: Nullable(FaultSchema),
  /** StorageService.OperationMode: STARTING, NORMAL, JOINING, LEAVING, … ; null while Jolokia doesn't answer. */
  mode: Nullable(Type.String()),
  nativeTransport: Type.Boolean(),
  /** Addresses as this node's gossip sees them. */
  live: Type.Array(Type.String()),
  unreachable: Type.Array(Type.String()),
  hostId: Nullable(Type.String()),
  tokens: Type.Array(Type.String()),
  rack: Nullable(Type.String()),
  /** Bytes. */
  load: Nullable(Type.Number()),
  /** Whether it writes an audit log; null while Jolokia doesn't answer. Left out by an agent that is older than this field. */
  auditLog: Type.Optional(Nullable(Type.Boolean())),
  version: Nullable(Type.String()),
  /** How often it was started by this agent and its predecessors. */
  starts: Type.Integer(),
  memoryUsedKB: Nullable(Type.Number()),
  memoryTotalKB: Nullable(Type.Number()),
  memoryFreeKB: Nullable(Type.Number()),
  memoryBuffersAndCachedKB: Nullable(Type.Number()),
  diskUsedKB: Nullable(Type.Number()),
  diskFreeKB: Nullable(Type.Number()),
  cpuUsage: Nullable(Type.Number()),
});
export type CassandraReport = Static<typeof CassandraReport>;

export const NodeReport = Type.Object({
  name: Type.String(),
  agent: Type.Object({ version: Type.String(), startedAt: Type.String() }),
  door: Type.Object({
    state: DoorState,
    /** The addresses the policy in force names. */
    endpoint: Nullable(Type.String()),
    peers: Type.Array(Type.String()),
    error: Nullable(FaultSchema),
    /** What the kernel can't do here, in words; empty when every hook is in place. */
    limits: Type.Array(Type.String()),
  }),
  tunnel: Type.Object({
    implementation: Type.Union([Type.Literal('kernel'), Type.Literal('userspace'), Type.Literal('none')]),
    mtu: Nullable(Type.Integer()),
    /** Seconds since the last handshake. */
    handshakeAgeSeconds: Nullable(Type.Number()),
  }),
  cassandra: CassandraReport,
  work: Type.Record(
    Type.String(),
    Type.Object({
      state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
      error: Nullable(FaultSchema),
    }),
  ),
  /** By id, those of the intent that have begun. */
  commands: Type.Optional(Type.Record(Type.String(), CommandReport)),
  /** People's keyspaces by the data centre that their replication names, `*` where it names each: at most 100 names a data
   *  centre. Left out where it isn't known now. */
  keyspaces: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  /** Of the services that it is told to use. */
  services: Type.Optional(
    Type.Object({
      logs: Type.Optional(
        Type.Object({
          /** ISO 8601: what was written until then has been sent; null: nothing is known to have been. */
          sentThrough: Nullable(Type.String()),
          /** What it waits for, in words a person can act on; null: nothing. */
          waitingFor: Nullable(Type.String()),
        }),
      ),
    }),
  ),
});
export type NodeReport = Static<typeof NodeReport>;

/** What one node gets to join with, once: there is no other channel to it. Lives on its disk until it has enrolled. */
export const JoinFile = Type.Object({
  version: Type.Literal(1),
  cluster: Type.String(),
  node: Type.String(),
  endpoint: Type.Object({ address: Type.String(), port: Type.Integer() }),
  operator: Type.Object({
    /** WireGuard public key, base64. */
    publicKey: Type.String(),
    /** The operator's address inside the tunnel. */
    address: Type.String(),
    enrolmentPort: Type.Integer(),
    /** SHA-256 of the exchange authority's certificate (DER), hex: what the node believes, and nothing else. */
    authorityFingerprint: Type.String(),
  }),
  oneTime: Type.Object({ privateKey: Type.String(), address: Type.String() }),
});
export type JoinFile = Static<typeof JoinFile>;

/** node → operator, once, on the enrolment port. */
export const EnrolmentRequest = Type.Object({
  node: Type.String(),
  /** The node's own WireGuard public key; the private one never leaves the node. */
  wireguardPublicKey: Type.String(),
  /** The ring address the node found on its interface. */
  address: Type.String(),
  /** PKCS#10, PEM. */
  requests: Type.Object({ exchange: Type.String(), internode: Type.String(), client: Type.String() }),
});
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

export const EnrolmentGrant = Type.Object({
  /** The node's lasting address inside the tunnel. */
  address: Type.String(),
  exchange: Type.Object({ certificate: Type.String(), authority: Type.String(), port: Type.Integer() }),
});
export type EnrolmentGrant = Static<typeof EnrolmentGrant>;
