import type { Fault } from '../../lib/errors.ts';
import { readJson, writeJson } from '../../lib/files.ts';

export interface LedgerEntry {
  readonly state: 'running' | 'done' | 'failed';
  readonly error: Fault | null;
}

/** Remembers, on disk, which one-shot work was begun: no id is ever begun twice. */
export interface Ledger {
  entries(): Readonly<Record<string, LedgerEntry>>;
  set(id: string, entry: LedgerEntry): Promise<void>;
}

/** Beyond this many the oldest are forgotten; ids never return. */
const kept = 500;

export async function openLedger(path: string): Promise<Ledger> {
  let entries = (await readJson<Record<string, LedgerEntry>>(path)) ?? {};
  return {
    entries: () => entries,
    async set(id, entry) {
      const all = Object.entries({ ...entries, [id]: entry });
      entries = Object.fromEntries(all.slice(-kept));
      await writeJson(path, entries, 0o600);
    },
  };
}
