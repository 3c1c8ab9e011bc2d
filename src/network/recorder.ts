/**
 * Recorders: sets that the kernel fills with what it sees, outside of what is watched. They stop nothing and judge nothing.
 */
import { exec } from '../lib/exec.ts';
import type { NftTable } from './nft-table.ts';

/** What a recorder saw. `device` is set where one recorder watches several. */
export interface RecordedFlow {
  readonly device: string | null;
  readonly source: string;
  readonly destination: string;
  /** tcp, udp, icmp, …, a protocol number, or `ethertype 0x88b5`. */
  readonly protocol: string;
  readonly port: number | null;
  readonly packets: number;
}

/** Recorders cost an update of a set for every packet, so they stand only while somebody reads them. */
export const isRecorder = ({ family, name }: NftTable): boolean =>
  family === 'netdev' ? name.startsWith('rec_') : name === deliveryRecorder.name;

/** A set that is full sees nothing new, so a reader must say so rather than trust it. */
export const recorderSize = 65_535;

const set = (name: string, type: string): string =>
  `  set ${name} { type ${type}; size ${recorderSize}; flags dynamic,timeout; timeout 10m; counter; }`;

/** Everything that comes in on a device, whatever its kind: raw frames included. Runs before any filter. */
export const deviceRecorder = (device: string): NftTable => ({
  family: 'netdev',
  name: `rec_${device}`,
  body: [
    set('ports', 'ipv4_addr . ipv4_addr . inet_proto . inet_service'),
    set('others', 'ipv4_addr . ipv4_addr . inet_proto'),
    set('ports6', 'ipv6_addr . ipv6_addr . inet_proto . inet_service'),
    set('others6', 'ipv6_addr . ipv6_addr . inet_proto'),
    set('frames', 'ether_addr . ether_addr . ether_type'),
    `  chain ingress { type filter hook ingress device "${device}" priority -500; policy accept;`,
    '    ether type ip ip protocol { 6, 17 } ip frag-off & 0x1fff == 0 update @ports { ip saddr . ip daddr . ip protocol . th dport } accept',
    '    ether type ip update @others { ip saddr . ip daddr . ip protocol } accept',
    '    ether type ip6 meta l4proto { 6, 17 } update @ports6 { ip6 saddr . ip6 daddr . meta l4proto . th dport } accept',
    '    ether type ip6 update @others6 { ip6 saddr . ip6 daddr . meta l4proto } accept',
    // Headers that the kernel can't follow to their end have no such protocol.
    '    ether type ip6 update @others6 { ip6 saddr . ip6 daddr . ip6 nexthdr } accept',
    '    ether type != arp update @frames { ether saddr . ether daddr . ether type }',
    '  }',
  ].join('\n'),
});

/** Everything that a router hands out, by the device it goes to, after all filters and translations. */
export const deliveryRecorder: NftTable = {
  family: 'inet',
  name: 'recorder',
  body: [
    set('ports', 'ifname . ipv4_addr . ipv4_addr . inet_proto . inet_service'),
    set('others', 'ifname . ipv4_addr . ipv4_addr . inet_proto'),
    set('others6', 'ifname . ipv6_addr . ipv6_addr . inet_proto'),
    '  chain delivered { type filter hook postrouting priority 350; policy accept;',
    '    meta nfproto ipv6 update @others6 { oifname . ip6 saddr . ip6 daddr . ip6 nexthdr } accept',
    '    ip protocol { 6, 17 } ip frag-off & 0x1fff == 0 update @ports { oifname . ip saddr . ip daddr . ip protocol . th dport } accept',
    '    update @others { oifname . ip saddr . ip daddr . ip protocol }',
    '  }',
  ].join('\n'),
};

interface JsonSet {
  readonly set?: { readonly name: string; readonly elem?: readonly JsonElement[] };
}
interface JsonElement {
  readonly elem: {
    readonly val: { readonly concat: readonly (string | number)[] };
    readonly counter?: { readonly packets: number };
  };
}

/** Reads a recorder. Throws when it can't be read, or when it is full and so may have missed something. */
export async function readRecorder(
  namespacePath: string,
  table: Pick<NftTable, 'family' | 'name'>,
  signal?: AbortSignal,
): Promise<readonly RecordedFlow[]> {
  const args = [`--net=${namespacePath}`, 'nft', '-j', 'list', 'table', table.family, table.name];
  const { stdout } = await exec('nsenter', args, { ...(signal && { signal }) });
  return parseRecorder(stdout, table.family === 'inet');
}

export function parseRecorder(json: string, byDevice: boolean): readonly RecordedFlow[] {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly JsonSet[] };
  return nftables.flatMap(({ set: found }) => {
    if (!found) return [];
    const elements = found.elem ?? [];
    if (elements.length >= recorderSize)
      throw new Error(`The recorder's set '${found.name}' is full: it may have missed packets.`);
    return elements.map(({ elem }) => {
      const values = [...elem.val.concat];
      const device = byDevice ? String(values.shift()) : null;
      const [source, destination, protocol, port] = values;
      return {
        device,
        source: String(source),
        destination: String(destination),
        protocol: found.name === 'frames' ? `ethertype ${etherType(protocol)}` : protocolName(protocol),
        port: typeof port === 'number' ? port : null,
        packets: elem.counter?.packets ?? 0,
      };
    });
  });
}

/** nft gives a name where /etc/protocols has one, else the number; and that file may be missing. */
function protocolName(value: string | number | undefined): string {
  const names: Readonly<Record<string, string>> = {
    '1': 'icmp',
    '6': 'tcp',
    '17': 'udp',
    '58': 'icmpv6',
    'ipv6-icmp': 'icmpv6',
  };
  const text = String(value);
  return names[text] ?? text;
}

function etherType(value: string | number | undefined): string {
  const names: Readonly<Record<string, number>> = {
    ip: 0x0800,
    arp: 0x0806,
    ip6: 0x86dd,
    '8021q': 0x8100,
    vlan: 0x8100,
    '8021ad': 0x88a8,
  };
  const number = typeof value === 'number' ? value : (names[String(value)] ?? Number(value));
  return Number.isNaN(number) ? String(value) : `0x${number.toString(16).padStart(4, '0')}`;
}
