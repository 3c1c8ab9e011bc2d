/**
 * What a try is, as data: how it is made, and how it would be known again.
 */
import { inAnyPrefix } from '../../lib/ip.ts';
import type { AllowRule } from '../../exchange/intents/fabric.ts';
import type { Facts } from './facts.ts';
import type { HostCanary } from './outside.ts';
import type { Identity } from './result.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

/** How a recorder would know the packet: every field given must match. */
export interface Marker {
  readonly destinations: readonly string[];
  readonly protocol: string;
  /** Null: the packet bears none. */
  readonly port: number | null;
  /** Where other traffic may look the same, the sources that make it this try's. */
  readonly sources?: readonly string[];
}

/** What a positive control must have shown for a "stopped" to mean something; null: the try proves itself. */
export type ControlClass =
  | 'tcp'
  | 'udp'
  | 'icmp'
  | 'dns'
  | 'raw'
  | 'forged'
  | 'fragment'
  | 'ipv6'
  | 'frame'
  | 'vlan'
  | 'spoofed'
  | 'metadata'
  | 'neighbour'
  | 'tunnel'
  | 'host'
  | 'vsock';

export interface Try {
  readonly id: string;
  readonly what: string;
  readonly towards: string;
  readonly control: ControlClass;
  readonly markers: readonly Marker[];
  /** `network`: recorders judge. `tunnel`: watchers inside the far machines do. `host`: the prober's own word does. */
  readonly by: 'network' | 'tunnel' | 'host';
  readonly verb: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

/** A try that needs something to be made first names it in `arguments.needs`. */
export interface Preparation {
  readonly orders: readonly (readonly string[])[];
}

export interface Batch {
  readonly tries: readonly Try[];
  readonly preparation: Preparation;
}

export interface Aims {
  readonly world: VerifyWorld;
  readonly machine: WorldMachine;
  readonly facts: Facts;
  /** Facts of every machine that was looked at, by id. */
  readonly others: ReadonlyMap<string, Facts>;
  readonly as: Identity;
  readonly host: HostCanary;
  /** A port not yet used in this run. */
  readonly port: () => number;
  /** A port on which the watchers in the tunnel listen, not yet used. */
  readonly tunnelPort: () => number;
  /** Which of several canaries to take first. */
  readonly turn: number;
}

/** Ports from here on are a run's own: a packet that bears one is a try's, whoever sent it. */
export const firstPort = 20_000;
/** Likewise, and watchers listen on them. Both lie below the ports that kernels choose for themselves. */
export const firstTunnelPort = 31_000;
export const endOfPorts = 32_000;

/** A DNS question for `verify.example.`, type A. */
export const dnsQuestion = '5a5a01000001000000000000067665726966790765786d706c650000010001';

/** A try before it has its id. */
export type Sort = Omit<Try, 'id' | 'by'> & { readonly by?: Try['by'] };

/** Where the machines that it runs in keep `ip`. */
export const ip = '/usr/sbin/ip';

/** The door of a machine: the private endpoint its written allow-list lets it dial. */
export function doorOf(world: VerifyWorld, machine: WorldMachine): VerifyWorld['links'][number] | undefined {
  return world.links.find(
    (link) => link.network === machine.network && isAllowed(machine.allow, link.address, 'udp', link.port),
  );
}

export function isAllowed(
  allow: readonly AllowRule[] | null,
  address: string,
  protocol: string,
  port: number,
): boolean {
  return (allow ?? []).some(
    (rule) =>
      rule.direction === 'out' &&
      rule.protocol === protocol &&
      rule.port === port &&
      inAnyPrefix(address, rule.remote.map(asPrefix)),
  );
}

/** An address by itself is a prefix of one. */
export const asPrefix = (text: string): string => (text.includes('/') ? text : `${text}/32`);

export const mark = (
  destination: string,
  protocol: string,
  port: number | null,
  sources?: readonly string[],
): Marker => ({
  destinations: [destination],
  protocol,
  port,
  ...(sources ? { sources } : {}),
});

export const at = (name: string, port?: number): string =>
  port === undefined ? name : `${name}, port ${port}`;

export function tcp(
  to: string,
  port: number,
  name: string,
  control: ControlClass,
  more: Partial<Sort> = {},
): Sort {
  return {
    what: 'TCP',
    towards: at(name, port),
    control,
    markers: [mark(to, 'tcp', port)],
    verb: 'tcp',
    arguments: { to, port },
    ...more,
  };
}
export function udp(
  to: string,
  port: number,
  name: string,
  control: ControlClass,
  more: Partial<Sort> = {},
): Sort {
  return {
    what: 'UDP',
    towards: at(name, port),
    control,
    markers: [mark(to, 'udp', port)],
    verb: 'udp',
    arguments: { to, port },
    ...more,
  };
}
export function icmp(to: string, name: string, control: ControlClass, sources?: readonly string[]): Sort {
  const protocol = to.includes(':') ? 'icmpv6' : 'icmp';
  return {
    what: to.includes(':') ? 'ICMPv6' : 'ICMP',
    towards: name,
    control,
    markers: [mark(to, protocol, null, sources)],
    verb: 'icmp',
    arguments: { to },
  };
}
