/** Lists of addresses and ports in the form that nft's sets take: nothing overlaps. */
import { containsPrefix, formatPrefix, parsePrefix, type Prefix } from '../lib/ip.ts';

/** Prefixes in canonical form, none inside another: nft refuses a set whose intervals overlap. Throws for what is none. */
export function mergePrefixes(texts: readonly string[]): readonly string[] {
  const prefixes = [...new Set(texts)].map(toPrefix);
  return prefixes
    .filter((inner, index) =>
      prefixes.every((outer, other) => {
        if (other === index || !containsPrefix(outer, inner)) return true;
        return containsPrefix(inner, outer) && index < other;
      }),
    )
    .map(formatPrefix)
    .sort();
}

export function toPrefix(text: string): Prefix {
  const prefix = parsePrefix(text.includes('/') ? text : `${text}/32`);
  if (!prefix) throw new Error(`'${text}' is not an IPv4 prefix.`);
  return prefix;
}

/** `*`, `443`, `8000-8080` as disjoint ranges in order; null: every port. Throws for what is none. */
export function mergePorts(texts: readonly string[]): readonly string[] | null {
  if (texts.includes('*')) return null;
  const ranges = texts.map(toRange).sort((a, b) => a.first - b.first);
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges) {
    const before = merged.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  if (merged.length === 1 && merged[0]!.first === 0 && merged[0]!.last === 65_535) return null;
  return merged.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
}

function toRange(text: string): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > last || last > 65_535) throw new Error(`'${text}' is no port and no range of ports.`);
  return { first, last };
}
