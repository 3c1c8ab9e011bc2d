import { ArmError } from '../../arm/errors.ts';
import { containsPrefix, overlaps } from '../../lib/ip.ts';
import { storedPrefix } from '../addresses.ts';
import type { Fields } from '../fields.ts';
import { reservedRanges } from '../platform.ts';
import { readPrefix } from '../subnet/schema.ts';
import type { Resource } from '../../store/resource.ts';

export const virtualNetworkType = 'Microsoft.Network/virtualNetworks';

export interface VirtualNetworkProperties {
  readonly prefixes: readonly string[];
}

/** The machine that stands in a network to query from, and to prove that what must not leak could. */
export interface ApplicationPlace {
  readonly machine: string;
  readonly subnet: string;
  readonly address: string;
}

export interface VirtualNetworkState {
  /** Unique for good: what the fabric calls the network. */
  readonly network: string;
  readonly guid: string;
  readonly application: ApplicationPlace | null;
  /** Counts application machines, so that a moved one is a new one. */
  readonly placed: number;
}

export function readPrefixes(body: Fields): readonly string[] | undefined {
  const space = body.object('addressSpace');
  const given = space?.texts('addressPrefixes');
  if (!space || !given) return undefined;
  if (given.length === 0)
    return space.fail('addressPrefixes', 'is empty: name at least one prefix, for instance 10.0.0.0/16.');
  return given.map((text, index) => readPrefix(`${space.path}.addressPrefixes[${index}]`, text, 29));
}

/** Refuses prefixes that overlap each other or a range that is no customer's. */
export function checkAddressSpace(prefixes: readonly string[]): void {
  const target = 'properties.addressSpace.addressPrefixes';
  for (const [index, text] of prefixes.entries()) {
    const prefix = storedPrefix(text);
    const other = prefixes.slice(0, index).find((before) => overlaps(storedPrefix(before), prefix));
    if (other) {
      throw new ArmError('InvalidParameter', `${target}: ${text} and ${other} overlap. Leave one out.`, {
        target,
      });
    }
    const reserved = reservedRanges.find((range) => overlaps(storedPrefix(range.prefix), prefix));
    if (reserved) {
      throw new ArmError(
        'InvalidParameter',
        `${target}: ${text} touches ${reserved.prefix}, which can't be used: ${reserved.why}. Choose another, for instance 10.0.0.0/16.`,
        { target },
      );
    }
  }
}

/** Refuses subnets outside the address space, and those that overlap. */
export function checkSubnets(
  prefixes: readonly string[],
  subnets: readonly { readonly name: string; readonly prefix: string }[],
): void {
  for (const [index, subnet] of subnets.entries()) {
    const target = `subnets/${subnet.name}`;
    const prefix = storedPrefix(subnet.prefix);
    if (!prefixes.some((space) => containsPrefix(storedPrefix(space), prefix))) {
      throw new ArmError(
        'InvalidParameter',
        `Subnet '${subnet.name}' (${subnet.prefix}) lies outside the address space of its virtual network, ${prefixes.join(', ')}.`,
        { target },
      );
    }
    const other = subnets.slice(0, index).find((before) => overlaps(storedPrefix(before.prefix), prefix));
    if (other) {
      throw new ArmError(
        'InvalidParameter',
        `Subnet '${subnet.name}' (${subnet.prefix}) overlaps subnet '${other.name}' (${other.prefix}). Choose a free prefix.`,
        { target },
      );
    }
  }
}

export type VirtualNetwork = Resource<VirtualNetworkProperties, VirtualNetworkState>;
