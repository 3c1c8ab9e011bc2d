/**
 * control → fabric: which networks, machines and private links shall be. fabric → control: which are.
 * The fabric is told what shall be reachable, never how; it knows no cluster and no ARM resource.
 */
import { Type, type Static } from 'typebox';
import { FaultSchema, Nullable } from './json.ts';
import { ServiceHealth } from './service.ts';

/** One allowed flow of a network interface, as seen from the machine. Everything not named is dropped. */
export const AllowRule = Type.Object({
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  /** IPv4 prefixes of the far side. */
  remote: Type.Array(Type.String()),
  /** Destination port of the flow: ours for `in`, the far side's for `out`. */
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  /** Why it is there, in words for `verify` and `status`: "WireGuard to the door". */
  reason: Type.String(),
});
export type AllowRule = Static<typeof AllowRule>;

/** One side of a security rule; the words are those of network/security-rules.ts. */
const RuleSide = Type.Object({ prefixes: Type.Array(Type.String()), groups: Type.Array(Type.String()) });

/** A rule of a network security group. The default rules are left out: every group ends with them. */
export const FabricSecurityRule = Type.Object({
  name: Type.String(),
  priority: Type.Integer(),
  direction: Type.Union([Type.Literal('Inbound'), Type.Literal('Outbound')]),
  access: Type.Union([Type.Literal('Allow'), Type.Literal('Deny')]),
  protocol: Type.Union([
    Type.Literal('Tcp'),
    Type.Literal('Udp'),
    Type.Literal('Icmp'),
    Type.Literal('Esp'),
    Type.Literal('Ah'),
    Type.Literal('*'),
  ]),
  source: RuleSide,
  sourcePorts: Type.Array(Type.String()),
  destination: RuleSide,
  destinationPorts: Type.Array(Type.String()),
});

export const FabricSecurityGroup = Type.Object({
  id: Type.String(),
  rules: Type.Array(FabricSecurityRule),
});
export type FabricSecurityGroup = Static<typeof FabricSecurityGroup>;

/** A route of the user's; the words are those of network/security-rules.ts. */
export const FabricRoute = Type.Object({
  name: Type.String(),
  prefix: Type.String(),
  nextHopType: Type.Union([
    Type.Literal('VirtualAppliance'),
    Type.Literal('VnetLocal'),
    Type.Literal('Internet'),
    Type.Literal('None'),
    Type.Literal('VirtualNetworkGateway'),
  ]),
  nextHopAddress: Nullable(Type.String()),
});

/** This network's side of a peering. The two are tied only where both name each other. */
export const FabricPeering = Type.Object({
  network: Type.String(),
  /** Whether the peer's address space counts as this virtual network's; false: only rules that name it let it through. */
  access: Type.Boolean(),
});

export const FabricNetwork = Type.Object({
  /** Stable and unique; the fabric derives its own short names from it. */
  id: Type.String(),
  /** Shown in status: the virtual network's ARM id. */
  label: Type.String(),
  /** IPv4 prefixes of the address space. */
  prefixes: Type.Array(Type.String()),
  subnets: Type.Array(
    Type.Object({
      name: Type.String(),
      prefix: Type.String(),
      /** Of `securityGroups`; null, or left out: none. */
      securityGroup: Type.Optional(Nullable(Type.String())),
      /** The user's routes for what comes from this subnet's machines. */
      routes: Type.Optional(Type.Array(FabricRoute)),
    }),
  ),
  peerings: Type.Optional(Type.Array(FabricPeering)),
  /** Whether the network has a way out to "the internet", a namespace of canaries. */
  internet: Type.Boolean(),
});
export type FabricNetwork = Static<typeof FabricNetwork>;

export const FabricMachine = Type.Object({
  id: Type.String(),
  /** `node`: a Cassandra node's machine; the agent in it configures its own interface after its door policy stands.
   *  `operator`: a cluster's operator. `application`: a machine of the customer's, with no role in it.
   *  `gate`: what operators reach named accounts by. `storage`, `monitor`: services that stand behind it.
   *  `control-door`: forwards control's exchange sockets into the provider's network. */
  kind: Type.Union([
    Type.Literal('node'),
    Type.Literal('operator'),
    Type.Literal('application'),
    Type.Literal('control-door'),
    Type.Literal('gate'),
    Type.Literal('storage'),
    Type.Literal('monitor'),
  ]),
  hostname: Type.String(),
  network: Type.String(),
  subnet: Type.String(),
  address: Type.String(),
  /** The platform policy of the interface. Null: no bound but the NSG's semantics. */
  allow: Nullable(Type.Array(AllowRule)),
  /** The security group of the interface itself, beside its subnet's; null, or left out: none. */
  securityGroup: Type.Optional(Nullable(Type.String())),
  /** Application security groups that its address belongs to. */
  applicationSecurityGroups: Type.Optional(Type.Array(Type.String())),
  /** Files put on the machine's disk below /var/lib/sallyport when it is first made, 0600. They may hold one-time
   *  secrets; a file that is there already is left alone. */
  seed: Type.Record(Type.String(), Type.String()),
});
export type FabricMachine = Static<typeof FabricMachine>;

/** A private endpoint's way to a private link service: one address, one UDP port, one direction. */
export const FabricLink = Type.Object({
  id: Type.String(),
  label: Type.String(),
  consumer: Type.Object({
    network: Type.String(),
    address: Type.String(),
    /** Its subnet's security group, where that one's network policies bind private endpoints. */
    securityGroup: Type.Optional(Nullable(Type.String())),
    applicationSecurityGroups: Type.Optional(Type.Array(Type.String())),
  }),
  /** `natAddress`: what the provider's side sees as source. `destination`: the operator's address. */
  provider: Type.Object({ network: Type.String(), natAddress: Type.String(), destination: Type.String() }),
  port: Type.Integer(),
  /** True only while the connection is Approved. */
  open: Type.Boolean(),
});
export type FabricLink = Static<typeof FabricLink>;

/** Where a service's account stands, and by which name. */
const VerifyAccount = Type.Object({
  name: Type.String(),
  address: Type.String(),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
});

/** What a proof must know of the gate, for one operator: by which names its way leads somewhere, and by which not. */
export const VerifyGate = Type.Object({
  /** The operator's machine. */
  operator: Type.String(),
  /** Signs what the gate shows this operator, PEM; null: the gate has not said it yet. */
  authority: Nullable(Type.String()),
  accounts: Type.Array(
    Type.Object({
      ...VerifyAccount.properties,
      /** What policies let be asked of it, and changes nothing there; null: there is no such thing. */
      ask: Nullable(Type.Object({ method: Type.String(), path: Type.String() })),
    }),
  ),
  /** Accounts of the installation that this operator may not reach. `shut`: no operator may reach that address and port. `shared`: it is
   *  the provider's, no customer's. */
  others: Type.Array(
    Type.Object({ ...VerifyAccount.properties, shut: Type.Boolean(), shared: Type.Boolean() }),
  ),
});
export type VerifyGate = Static<typeof VerifyGate>;

/** Tries to get out of the nodes. */
export const VerifyWork = Type.Object({
  id: Type.String(),
  kind: Type.Literal('verify'),
  /** Tries within one virtual network's nodes; null: all nodes of the fabric. */
  network: Nullable(Type.String()),
  /** Of each operator that has a way to accounts; the fabric knows no account but for a proof. */
  gates: Type.Optional(Type.Array(VerifyGate)),
});

/** One packet as a machine itself would send it to begin a flow. */
export const Probe = Type.Object({
  /** A machine's id. */
  from: Type.String(),
  to: Type.String(),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')]),
  /** 0 with icmp. */
  port: Type.Integer({ minimum: 0, maximum: 65535 }),
});
export type Probe = Static<typeof Probe>;

/** Sends one packet from a machine, and says where it was seen. */
export const ProbeWork = Type.Object({
  id: Type.String(),
  kind: Type.Literal('probe'),
  ...Probe.properties,
});

/** One-shot work, run at most once per id. */
export const FabricWork = Type.Union([VerifyWork, ProbeWork]);
export type FabricWork = Static<typeof FabricWork>;

/** What became of a probe. */
export const ProbeResult = Type.Object({
  /** `sent`, or the error by which the machine's own kernel refused it: EPERM is a rule of its own. */
  said: Type.String(),
  /** Seen on the machine's own cable. */
  left: Type.Boolean(),
  /** Where it was seen to arrive: ids of machines and links, `internet`. */
  arrived: Type.Array(Type.String()),
  /** Why its silence proves nothing; null: it does. */
  blind: Nullable(Type.String()),
  /** How often it was tried, and how many of the tries came to where most came. Left out: by a fabric of before. */
  packets: Type.Optional(
    Type.Object({ tried: Type.Integer({ minimum: 0 }), arrived: Type.Integer({ minimum: 0 }) }),
  ),
});
export type ProbeResult = Static<typeof ProbeResult>;

export const FabricIntent = Type.Object({
  networks: Type.Array(FabricNetwork),
  machines: Type.Array(FabricMachine),
  links: Type.Array(FabricLink),
  work: Type.Array(FabricWork),
  securityGroups: Type.Optional(Type.Array(FabricSecurityGroup)),
  /** Service tags as rules write them (`Storage`, `Storage.eastus2`) → prefixes. What is missing here is not known. */
  serviceTags: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  /** Seconds between two rounds in which the walls are tried on new connections; left out: 600; 0: never. */
  wallsSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type FabricIntent = Static<typeof FabricIntent>;

export const MachineReport = Type.Object({
  state: Type.Union([Type.Literal('starting'), Type.Literal('running'), Type.Literal('failed')]),
  /** Process id of the machine's init inside the fabric's PID namespace; null while it has none. */
  pid: Nullable(Type.Integer()),
  /** ISO 8601. */
  since: Nullable(Type.String()),
  error: Nullable(FaultSchema),
  /** Of a service's machine that runs: whether what it is for answers. */
  service: Type.Optional(ServiceHealth),
});
export type MachineReport = Static<typeof MachineReport>;

export const NetworkReport = Type.Object({
  state: Type.Union([Type.Literal('ready'), Type.Literal('failed')]),
  error: Nullable(FaultSchema),
});

export const LinkReport = Type.Object({
  state: Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('failed')]),
  error: Nullable(FaultSchema),
});

export const WorkReport = Type.Object({
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
  error: Nullable(FaultSchema),
});

/** The walls as they were found when packets tried them. */
export const WallsReport = Type.Object({
  /** The last round; null: none yet. `arrived`: of those that agree, how many came where they should. */
  last: Nullable(
    Type.Object({
      at: Type.String(),
      tried: Type.Integer(),
      agreed: Type.Integer(),
      unproved: Type.Integer(),
      arrived: Type.Integer(),
      milliseconds: Type.Integer(),
    }),
  ),
  /** Newest first, some of the latest. */
  findings: Type.Array(
    Type.Object({
      at: Type.String(),
      from: Type.String(),
      to: Type.String(),
      protocol: Type.String(),
      port: Type.Integer(),
      outcome: Type.Union([
        Type.Literal('opened'),
        Type.Literal('shut'),
        Type.Literal('agrees'),
        Type.Literal('unproved'),
      ]),
      text: Type.String(),
      /** Whether it was so still after the fabric had put back what it could. */
      stands: Type.Boolean(),
    }),
  ),
  /** What the fabric found changed by somebody else, and put back. Newest first, some of the latest. */
  putBack: Type.Array(Type.Object({ at: Type.String(), where: Type.String(), what: Type.String() })),
});
export type WallsReport = Static<typeof WallsReport>;

export const FabricReport = Type.Object({
  networks: Type.Record(Type.String(), NetworkReport),
  machines: Type.Record(Type.String(), MachineReport),
  links: Type.Record(Type.String(), LinkReport),
  work: Type.Record(Type.String(), WorkReport),
  /** What this host can't do, in words: "cgroup v1 only: memory is bounded by -Xmx". */
  limits: Type.Array(Type.String()),
  walls: Type.Optional(WallsReport),
});
export type FabricReport = Static<typeof FabricReport>;
