/** Which networks of the intent are tied: pure. */
import type { FabricNetwork } from '../exchange/intents/fabric.ts';
import { overlaps } from '../lib/ip.ts';
import { toPrefix } from '../network/intervals.ts';

export interface PeeredPair {
  readonly a: FabricNetwork;
  readonly b: FabricNetwork;
}

/**
 * Pairs of networks that both name each other. A pair whose address spaces overlap, or overlap what a peer of one of them
 * has already, is left out and told: there would be two places that one address may be.
 */
export function peeredPairs(
  networks: readonly FabricNetwork[],
  refuse: (what: string, why: string) => void,
): readonly PeeredPair[] {
  const pairs: PeeredPair[] = [];
  for (const [index, a] of networks.entries()) {
    for (const b of networks.slice(index + 1)) {
      if (!names(a, b) || !names(b, a)) continue;
      const around = [a, ...peersIn(pairs, a)].map((one) => [one, b] as const);
      const beyond = peersIn(pairs, b).map((one) => [one, a] as const);
      const clash = [...around, ...beyond].find(([one, other]) => overlap(one, other));
      if (clash)
        refuse(
          `peering of ${a.label} and ${b.label}`,
          `The address spaces of ${clash[0].label} and ${clash[1].label} overlap.`,
        );
      else pairs.push({ a, b });
    }
  }
  return pairs;
}

const names = (one: FabricNetwork, other: FabricNetwork): boolean =>
  one.peerings?.some(({ network }) => network === other.id) ?? false;

const peersIn = (pairs: readonly PeeredPair[], network: FabricNetwork): readonly FabricNetwork[] =>
  pairs.flatMap(({ a, b }) => (a === network ? [b] : b === network ? [a] : []));

/** A prefix that is none counts as overlapping: its own network is refused for it anyway. */
function overlap(one: FabricNetwork, other: FabricNetwork): boolean {
  try {
    const prefixes = one.prefixes.map(toPrefix);
    return other.prefixes.some((text) => prefixes.some((prefix) => overlaps(prefix, toPrefix(text))));
  } catch {
    return true;
  }
}
