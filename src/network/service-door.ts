/**
 * The policy of a service's own machine: the gate comes in on one port, and nothing goes out. A pure plan, applied as one atomic
 * transaction; it has no open state, and the wall outside says the same.
 */
import { isIPv4 } from 'node:net';
import { exec } from '../lib/exec.ts';

export interface ServiceDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  readonly port: number;
  /** IPv4. */
  readonly gate: string;
}

const serviceDoorTable = 'sallyport_service';

/** The whole table as nft reads it. `table` before `delete` makes the first time the same as every other. */
export function planServiceDoor({ device, port, gate }: ServiceDoor): string {
  if (!isIPv4(gate))
    throw new Error(`The gate's address is ${JSON.stringify(gate.slice(0, 80))}, which is no IPv4 address.`);
  const answers = 'ct direction reply ct state established accept';
  // ICMP and ICMPv6 by number: a machine has no /etc/protocols to look the names up in.
  const errors = 'meta l4proto { 1, 58 } ct state related accept';
  return `table inet ${serviceDoorTable}
delete table inet ${serviceDoorTable}
table inet ${serviceDoorTable} {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ${errors}
    iifname "${device}" ip saddr ${gate} tcp dport ${port} ct direction original counter accept
    counter
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    counter
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "lo" accept
    ${errors}
    oifname "${device}" ip daddr ${gate} tcp sport ${port} ${answers}
    counter
  }
}
`;
}

export async function applyServiceDoor(door: ServiceDoor): Promise<void> {
  await exec('nft', ['-f', '-'], { input: planServiceDoor(door) });
}
