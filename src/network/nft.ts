/**
 * nftables, as whole tables: what a table shall be is a text; it is replaced in one transaction, and read back to see
 * whether it still is what was put there.
 */
import { createHash, randomBytes } from 'node:crypto';
import { exec } from '../lib/exec.ts';
import { isStaged, stage } from './nft-stage.ts';
import type { NftTable } from './nft-table.ts';

/** What was put in place, and how the kernel listed it right after: a difference in either asks for a replacement. */
export interface TableMark {
  readonly plan: string;
  readonly listed: string;
}

export const tableKey = (table: Pick<NftTable, 'family' | 'name'>): string => `${table.family} ${table.name}`;

export const planMark = (table: NftTable): string => digest(table.body);

/** Text for `nft -f -` that puts these tables in place of what is there, all at once. */
export const replaceTables = (tables: readonly NftTable[]): string =>
  tables
    .map(
      ({ family, name, body }) =>
        `table ${family} ${name}\ndelete table ${family} ${name}\ntable ${family} ${name} {\n${body}\n}\n`,
    )
    .join('');

export const deleteTables = (keys: readonly string[]): string =>
  keys.map((key) => `delete table ${key}\n`).join('');

/** Splits the text of `nft list ruleset` into a mark for each table. */
export function listedMarks(ruleset: string): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const block of ruleset.split(/^(?=table )/m)) {
    const head = /^table (\S+) (\S+) \{/.exec(block);
    if (head) marks.set(`${head[1]} ${head[2]}`, digest(block.trim()));
  }
  return marks;
}

/** `{ a, b }`, in one order whatever the order of the input, so that equal content is equal text. */
export const nftSet = (items: readonly string[]): string => `{ ${[...new Set(items)].sort().join(', ')} }`;

/** As it says it itself: `nftables v1.0.6 (Lester Gooch #5)`. */
export const nftVersion = async (): Promise<string> => (await exec('nft', ['--version'])).stdout.trim();

/** Runs nft in a network namespace, given by the path of its handle. Rules go in by standard input. */
export const nft = (namespacePath: string, text: string, signal?: AbortSignal) =>
  exec('nsenter', [`--net=${namespacePath}`, 'nft', '-f', '-'], { input: text, ...(signal && { signal }) });

/**
 * Puts tables in place of what is there: each at once, the small ones all together. Whatever fails leaves what was there.
 */
export async function putTables(
  namespacePath: string,
  tables: readonly NftTable[],
  signal?: AbortSignal,
): Promise<void> {
  const small: NftTable[] = [];
  for (const table of tables) {
    const generation = randomBytes(4).toString('hex');
    if (!isStaged(table)) {
      small.push(table);
      continue;
    }
    // Heads of chains alone: to list the rules as well takes as long as to put them in place.
    const { stdout } = await exec(
      'nsenter',
      [`--net=${namespacePath}`, 'nft', 'list', 'chains', table.family],
      {
        ...(signal && { signal }),
      },
    );
    const mine = stdout.split(/^(?=table )/m).find((block) => block.startsWith(`table ${tableKey(table)} {`));
    const { prepare, swap, undo } = stage(table, mine ?? '', generation)!;
    try {
      await transactions(namespacePath, [...prepare, swap], `end-${generation}`, signal);
    } catch (error) {
      await nft(namespacePath, undo).catch(() => undefined);
      throw error;
    }
  }
  if (small.length > 0) await nft(namespacePath, replaceTables(small), signal);
}

/** One after the other, up to the first that fails. In one process of ours, for each costs more than what it does. */
async function transactions(
  namespacePath: string,
  texts: readonly string[],
  end: string,
  signal?: AbortSignal,
): Promise<void> {
  const script = texts.map((text) => `nft -f - <<'${end}' || exit 1\n${text}${end}\n`).join('');
  await exec('nsenter', [`--net=${namespacePath}`, 'sh'], { input: script, ...(signal && { signal }) });
}

/** Marks of all tables as they are. Counters and contents of sets that packets fill are left out. */
export async function readMarks(
  namespacePath: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await exec('nsenter', [`--net=${namespacePath}`, 'nft', '-s', '-t', 'list', 'ruleset'], {
    ...(signal && { signal }),
  });
  return listedMarks(stdout);
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
