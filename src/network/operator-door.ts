/**
 * The policy of an operator's own machine: what WireGuard lets in, and what may go out. A pure plan, applied as one
 * atomic transaction. It has no open state, and nothing is ever forwarded: no node reaches another through the operator.
 */
import { exec, execStatus } from '../lib/exec.ts';
import { ports } from './ports.ts';

export interface OperatorDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  /** The tunnel's interface. */
  readonly tunnel: string;
  /** Control's address: beside the gate's, the only one that this machine may dial. */
  readonly control: { readonly address: string; readonly ports: readonly number[] };
  /** The gate, where there is one: what leads to services. */
  readonly gate?: { readonly address: string; readonly port: number } | undefined;
  /** The cluster's ULA, as far as it is known: the operator's own address and the prefixes of its peers. */
  readonly overlay: { readonly own: string; readonly nodes: string; readonly oneTime: string } | undefined;
}

/** The peers' prefixes of a cluster's `/48`: lasting addresses lie in subnet 1, one-time ones in subnet 0xe. */
export function overlayOf(ulaPrefix: string): NonNullable<OperatorDoor['overlay']> {
  const base = ulaPrefix.replace(/::\/48$/, '');
  return { own: `${base}::1`, nodes: `${base}:1::/64`, oneTime: `${base}:e::/64` };
}

const operatorDoorTable = 'sallyport_operator';

/** The whole table as nft reads it. `table` before `delete` makes the first time the same as every other. */
export function planOperatorDoor(door: OperatorDoor): string {
  const fromTunnel = (source: string, protocol: string, port: number): string =>
    `iifname "${door.tunnel}" ip6 saddr ${source} ip6 daddr ${door.overlay!.own} ${protocol} dport ${port} counter accept`;
  const overlay = door.overlay
    ? [
        fromTunnel(door.overlay.oneTime, 'tcp', ports.enrolment),
        fromTunnel(door.overlay.nodes, 'tcp', ports.exchange),
        fromTunnel(door.overlay.nodes, 'udp', ports.mtuProbe),
        // It goes on to the gate, and to nothing else.
        ...(door.gate ? [fromTunnel(door.overlay.nodes, 'tcp', ports.services)] : []),
      ]
    : [];
  // Nodes are asked how Cassandra does; whether they answer is their own doors' to say.
  const metrics = door.overlay
    ? `    oifname "${door.tunnel}" ip6 saddr ${door.overlay.own} ip6 daddr ${door.overlay.nodes} tcp dport ${ports.metrics} counter accept\n`
    : '';
  // Judged by direction, not by state alone: what this machine didn't start is judged packet by packet.
  const answers = 'ct direction reply ct state established accept';
  // ICMP and ICMPv6 by number: a machine has no /etc/protocols to look the names up in.
  const errors = 'meta l4proto { 1, 58 } ct state related accept';
  return `table inet ${operatorDoorTable}
delete table inet ${operatorDoorTable}
table inet ${operatorDoorTable} {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ${answers}
    ${errors}
    iifname "${door.device}" udp dport ${ports.wireguard} counter accept
${overlay.map((rule) => `    ${rule}\n`).join('')}    counter
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    counter
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "lo" accept
    ${answers}
    ${errors}
    oifname "${door.device}" ip daddr ${door.control.address} tcp dport { ${door.control.ports.join(', ')} } counter accept
${door.gate ? `    oifname "${door.device}" ip daddr ${door.gate.address} tcp dport ${door.gate.port} counter accept\n` : ''}${metrics}    counter
  }
}
`;
}

export async function applyOperatorDoor(door: OperatorDoor): Promise<void> {
  await exec('nft', ['-f', '-'], { input: planOperatorDoor(door) });
}

/** Whether the table is there at all: somebody may have flushed the rules. */
export async function operatorDoorStands(): Promise<boolean> {
  const said = await execStatus('nft', ['list', 'table', 'inet', operatorDoorTable]);
  return said.exitCode === 0 && said.stdout.includes('policy drop');
}
