import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** An IPv4 prefix in canonical form: `first` is the network address as an unsigned 32-bit number. */
export interface Prefix {
  readonly first: number;
  readonly length: number;
}

/** Parses `10.0.2.0/24`; `undefined` unless it is a well-formed IPv4 prefix without host bits. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text);
  if (!match || !isIPv4(match[1]!)) return undefined;
  const length = Number(match[2]);
  if (length > 32) return undefined;
  const first = ipv4ToNumber(match[1]!);
  return first % sizeOf({ first, length }) === 0 ? { first, length } : undefined;
}

/** How many addresses the prefix holds, the reserved ones included. */
export const sizeOf = (prefix: Prefix): number => 2 ** (32 - prefix.length);

export const formatPrefix = (prefix: Prefix): string => `${numberToIpv4(prefix.first)}/${prefix.length}`;

export function ipv4ToNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function numberToIpv4(value: number): string {
  return [value / 2 ** 24, value / 2 ** 16, value / 2 ** 8, value]
    .map((part) => Math.floor(part) % 256)
    .join('.');
}

export const containsAddress = (prefix: Prefix, address: string): boolean => {
  const value = ipv4ToNumber(address);
  return value >= prefix.first && value < prefix.first + sizeOf(prefix);
};

export const containsPrefix = (outer: Prefix, inner: Prefix): boolean =>
  inner.length >= outer.length && inner.first >= outer.first && inner.first < outer.first + sizeOf(outer);

export const overlaps = (a: Prefix, b: Prefix): boolean => containsPrefix(a, b) || containsPrefix(b, a);

/** The n-th address of a /48 ULA: `ulaHost('fd12:3456:789a::/48', 1, 2)` is `fd12:3456:789a:1::2`. */
export function ulaHost(prefix: string, subnet: number, host: number): string {
  const base = prefix.replace(/::\/48$/, '');
  return subnet === 0
    ? `${base}::${host.toString(16)}`
    : `${base}:${subnet.toString(16)}::${host.toString(16)}`;
}

/** Whether an address, of either family, lies in one of the prefixes. */
export function inAnyPrefix(address: string, prefixes: readonly string[]): boolean {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network, length] = prefix.split('/') as [string, string];
    list.addSubnet(network, Number(length), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
