import { ArmError } from '../arm/errors.ts';
import {
  containsAddress,
  formatPrefix,
  ipv4ToNumber,
  numberToIpv4,
  parsePrefix,
  sizeOf,
  type Prefix,
} from '../lib/ip.ts';
import { isIPv4 } from 'node:net';

/** Address → who has it, in words. */
export type Claims = ReadonlyMap<string, string>;

/** Azure keeps the first four addresses of a subnet and the last. */
export const firstUsable = (prefix: Prefix): number => prefix.first + 4;
export const lastUsable = (prefix: Prefix): number => prefix.first + sizeOf(prefix) - 2;

/** A prefix that was checked when it was stored. */
export function storedPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Error(`The stored prefix '${text}' is none.`);
  return prefix;
}

/** The lowest `count` free addresses, or fewer where there aren't as many. */
export function lowestFree(prefix: Prefix, taken: Claims, count: number): readonly string[] {
  const found: string[] = [];
  for (let value = firstUsable(prefix); value <= lastUsable(prefix) && found.length < count; value++) {
    const address = numberToIpv4(value);
    if (!taken.has(address)) found.push(address);
  }
  return found;
}

export function highestFree(prefix: Prefix, taken: Claims): string | undefined {
  for (let value = lastUsable(prefix); value >= firstUsable(prefix); value--) {
    const address = numberToIpv4(value);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Refuses a static address that a subnet can't give, with the range that it can. */
export function checkStatic(
  target: string,
  address: string,
  subnet: string,
  prefix: Prefix,
  taken: Claims,
): string {
  const fail = (why: string): never => {
    const range = `${numberToIpv4(firstUsable(prefix))} to ${numberToIpv4(lastUsable(prefix))}`;
    throw new ArmError(
      'InvalidParameter',
      `${target}: ${why} Choose a free one from ${range} of subnet '${subnet}'.`,
      { target },
    );
  };
  if (!isIPv4(address)) return fail(`'${address}' is no IPv4 address.`);
  if (!containsAddress(prefix, address))
    return fail(`${address} lies outside the subnet, ${formatPrefix(prefix)}.`);
  const value = ipv4ToNumber(address);
  if (value < firstUsable(prefix) || value > lastUsable(prefix)) {
    return fail(`${address} is reserved: a subnet keeps its first four addresses and its last.`);
  }
  const owner = taken.get(address);
  if (owner !== undefined) return fail(`${address} is in use by ${owner}.`);
  return address;
}
