/**
 * What `verify` needs of the fabric: machines to try from, and recorders that stand outside them.
 * verify/ must never change a wall except the rules inside a node's own machine, and those it puts back.
 */
import type { AllowRule, FabricMachine, VerifyGate } from '../../exchange/intents/fabric.ts';

export interface WorldMachine {
  readonly id: string;
  readonly kind: FabricMachine['kind'];
  readonly hostname: string;
  readonly network: string;
  readonly address: string;
  /** The written allow-list of its interface; null: none but the NSG. */
  readonly allow: readonly AllowRule[] | null;
}

export interface EnterOptions {
  /** `root`: root of the machine, with every capability it has. `cassandra`: the user Cassandra runs as, none. */
  readonly as: 'root' | 'cassandra';
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** A frame or packet that a recorder saw, with how many. `protocol`: tcp, udp, icmp, icmpv6, an IP protocol number, or
 *  `ethertype 0x88b5` for what is not IP. */
export interface Seen {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly port: number | null;
  readonly packets: number;
}

/**
 * Where it stands: `nic-out` on the router's side of a machine's cable, what came out of the machine; `nic-in`, what was
 * delivered to a machine; `internet`, what reached the canaries; `link`, what a private link let through to the provider.
 */
export interface Recorder {
  readonly place: 'nic-out' | 'nic-in' | 'internet' | 'link';
  /** Machine id for the nic places, link id for `link`, null for the internet. */
  readonly of: string | null;
  read(): Promise<readonly Seen[]>;
}

export interface VerifyWorld {
  readonly machines: readonly WorldMachine[];
  readonly links: readonly {
    readonly id: string;
    readonly address: string;
    readonly network: string;
    readonly port: number;
    readonly open: boolean;
    readonly destination: string;
  }[];
  /** Addresses that canaries own, outside every virtual network: documentation ranges, IPv4 and IPv6. */
  readonly canaries: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
  /** The subnets of each network, so that a try can aim at an address in one that no machine owns. */
  readonly networks: readonly {
    readonly id: string;
    readonly prefixes: readonly string[];
    readonly subnets: readonly { readonly name: string; readonly prefix: string }[];
    /** Networks that it is a peer of. */
    readonly peers?: readonly string[];
  }[];
  /** Of operators that have a way to accounts; none: there is no gate to try. */
  readonly gates?: readonly VerifyGate[];
  enter(
    machineId: string,
    argv: readonly string[],
    options: EnterOptions,
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }>;
  /** Puts a machine's own interface and rules back as its role wants them, after they were flushed. */
  restoreRules(machineId: string): Promise<void>;
  readonly recorders: readonly Recorder[];
}
