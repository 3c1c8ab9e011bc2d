/**
 * Tables that are too large for one transaction. The kernel takes a transaction as one message, and who isn't root outside may
 * send no more than `net.core.wmem_default` at once: some 300 rules. So the chains that nothing leads to yet are filled in
 * several transactions, under names of their own; a last, small one leads packets to them and takes the old ones away. Until
 * it has, every packet meets the old rules, and from then on the new ones: there is no moment with half of them. Pure.
 */
import type { NftTable } from './nft-table.ts';

/** Bytes of messages that one transaction may take; the kernel's own bound is 212,992. */
const limit = 195_000;

export interface Stages {
  /** Each a text for nft, in order; they change nothing for any packet. */
  readonly prepare: readonly string[];
  readonly swap: string;
  /** Takes away what was prepared, where it could not be swapped in. */
  readonly undo: string;
}

interface Chain {
  readonly name: string;
  /** `type filter hook …; policy drop;` of one that packets come to by themselves; empty for the others. */
  readonly hook: string;
  readonly rules: readonly string[];
}

/** Whether one transaction is not enough. */
export const isStaged = ({ body }: Pick<NftTable, 'body'>): boolean =>
  body.split('\n').reduce((sum, line) => sum + weigh(line), 0) > limit;

/** Undefined: one transaction is enough. `listing`: the table as it is (heads of its chains, as `nft list chains` has them); empty where there is none. */
export function stage(table: NftTable, listing: string, generation: string): Stages | undefined {
  if (!isStaged(table)) return undefined;
  const chains = parseChains(table.body);
  const fillable = new Set(chains.filter(({ hook }) => hook === '').map(({ name }) => name));
  const fresh = (name: string): string => `${name}_${generation}`;
  const led = (rule: string): string =>
    rule.replaceAll(/\b(jump|goto) ([A-Za-z_][\w.]*)/g, (whole, verb: string, name: string) =>
      fillable.has(name) ? `${verb} ${fresh(name)}` : whole,
    );
  const of = `${table.family} ${table.name}`;
  const filled = chains.filter(({ name }) => fillable.has(name));
  const orders = filled.flatMap(({ name, rules }) => [
    `add chain ${of} ${fresh(name)}\n`,
    ...rules.map((rule) => `add rule ${of} ${fresh(name)} ${led(rule)}\n`),
  ]);
  const old = parseChains(listing).map((chain) => chain.name);
  const hooked = new Set(chains.filter(({ hook }) => hook !== '').map(({ name }) => name));
  const gone = old.filter((name) => !hooked.has(name));
  return {
    // All chains first: rules may lead to any of them.
    prepare: inLots(
      [`add table ${of}\n`, ...orders.filter(isChain), ...orders.filter((line) => !isChain(line))],
      weigh,
    ).map((lot) => lot.join('')),
    swap: [
      ...old.map((name) => `flush chain ${of} ${name}\n`),
      ...gone.map((name) => `delete chain ${of} ${name}\n`),
      `table ${of} {\n`,
      ...chains
        .filter(({ name }) => hooked.has(name))
        .map(({ name, hook, rules }) => [`  chain ${name} { ${hook}`, ...rules.map(led), '  }\n'].join('\n')),
      '}\n',
    ].join(''),
    undo: [
      ...filled.map(({ name }) => `flush chain ${of} ${fresh(name)}\n`),
      ...filled.map(({ name }) => `delete chain ${of} ${fresh(name)}\n`),
    ].join(''),
  };
}

const isChain = (line: string): boolean => line.startsWith('add chain ');

/** Bytes of a rule's messages, a little above what was measured: the rule, each match, each set and element, the comment. */
function weigh(line: string): number {
  const count = (what: RegExp): number => line.match(what)?.length ?? 0;
  const [, comment] = /comment "(.*)"/.exec(line) ?? [];
  return (
    150 +
    90 * count(/\b(meta|ct (state|status|direction)|proto-(src|dst)|[sd]port|[io]ifname|type)\b/g) +
    130 * count(/\b[sd]addr\b/g) +
    50 * count(/\d-\d/g) +
    300 * count(/\{/g) +
    (line.includes('vmap') ? 200 : 60) * count(/,/g) +
    (comment === undefined ? 0 : comment.length + 24)
  );
}

/** Chains as a body of ours has them, and as nft lists them: a line that opens, rules, a line that closes. */
function parseChains(text: string): readonly Chain[] {
  return [...text.matchAll(/^\s+chain (\S+) \{(.*)\n((?:.*\n)*?)\s*\}$/gm)].map(([, name, rest, body]) => {
    const lines = [rest!, ...body!.split('\n')].map((line) => line.trim()).filter((line) => line !== '');
    const hook = lines.find((line) => line.startsWith('type ')) ?? '';
    return { name: name!, hook, rules: lines.filter((line) => line !== hook) };
  });
}

function inLots<T>(items: readonly T[], weight: (item: T) => number): readonly (readonly T[])[] {
  const lots: T[][] = [];
  let room = 0;
  for (const item of items) {
    if (lots.length === 0 || weight(item) > room) {
      lots.push([]);
      room = limit;
    }
    lots.at(-1)!.push(item);
    room -= weight(item);
  }
  return lots;
}
