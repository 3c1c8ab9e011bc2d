/**
 * The policy of the gate's own machine: operators come in, each is led to its own cluster's port, and the proxy goes out to the
 * accounts' addresses and to nobody else. A pure plan, applied as one atomic transaction; it has no open state.
 */
import { isIPv6 } from 'node:net';
import type { GateCluster } from '../exchange/intents/gate.ts';
import { exec, execStatus } from '../lib/exec.ts';
import { nftSet } from './nft.ts';
import { ports } from './ports.ts';

export interface GateDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  readonly control: { readonly address: string; readonly ports: readonly number[] };
  /** Those that were judged sound: an address that isn't one must not come here. */
  readonly clusters: readonly Pick<GateCluster, 'source' | 'port' | 'accounts'>[];
}

const gateDoorTable = 'sallyport_gate';

/** The whole table as nft reads it. `table` before `delete` makes the first time the same as every other. */
export function planGateDoor({ device, control, clusters }: GateDoor): string {
  const open = clusters.filter(({ accounts }) => accounts.length > 0);
  const upstreams = open.flatMap(({ accounts }) => accounts.map(({ upstream }) => upstream));
  const places = (family: 'ip' | 'ip6'): readonly string[] => {
    const pairs = upstreams
      .filter(({ address }) => isIPv6(address) === (family === 'ip6'))
      .map(({ address, port }) => `${address} . ${port}`);
    return pairs.length === 0
      ? []
      : [`oifname "${device}" ${family} daddr . tcp dport ${nftSet(pairs)} counter accept`];
  };
  const answers = 'ct direction reply ct state established accept';
  // ICMP and ICMPv6 by number: a machine has no /etc/protocols to look the names up in.
  const errors = 'meta l4proto { 1, 58 } ct state related accept';
  const text = (rules: readonly string[]): string => rules.map((rule) => `    ${rule}\n`).join('');
  return `table inet ${gateDoorTable}
delete table inet ${gateDoorTable}
table inet ${gateDoorTable} {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
${text(open.map(({ source, port }) => `iifname "${device}" ip saddr ${source} tcp dport ${ports.gate} redirect to :${port}`))}  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ${answers}
    ${errors}
${text(open.map(({ source, port }) => `iifname "${device}" ip saddr ${source} tcp dport ${port} ct status dnat counter accept`))}    counter
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
    oifname "${device}" ip daddr ${control.address} tcp dport ${nftSet(control.ports.map(String))} counter accept
${text([...places('ip'), ...places('ip6')])}    counter
  }
}
`;
}

export async function applyGateDoor(door: GateDoor): Promise<void> {
  await exec('nft', ['-f', '-'], { input: planGateDoor(door) });
}

/** Whether the table is there at all: somebody may have flushed the rules. */
export async function gateDoorStands(): Promise<boolean> {
  const said = await execStatus('nft', ['list', 'table', 'inet', gateDoorTable]);
  return said.exitCode === 0 && said.stdout.includes('policy drop');
}
