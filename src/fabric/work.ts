import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FabricIntent, FabricReport, FabricWork } from '../exchange/intents/fabric.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { shortName } from './names.ts';

/** One piece of work as it stands on disk. */
interface Entry {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly error: Fault | null;
  /** What it found; null before, and once it was handed up. */
  readonly result: unknown;
}

export interface WorkOptions {
  readonly folder: string;
  readonly run: (work: FabricWork) => Promise<unknown>;
  /** Hands a result up; rejects while there is no contact. */
  readonly deliver: (work: FabricWork, result: unknown) => Promise<void>;
  readonly onChange: () => void;
  readonly log: Log;
}

export interface WorkLedger {
  /** Starts what is new, hands up what is ready, forgets what is no longer intended. Does not wait for the work. */
  settle(intent: FabricIntent): Promise<void>;
  report(intent: FabricIntent | undefined): FabricReport['work'];
}

/**
 * One-shot work, at most once per id: a piece is written down before it begins, and one that a crash cut off is reported
 * as failed, never begun again.
 */
export async function openWorkLedger(options: WorkOptions): Promise<WorkLedger> {
  const { folder, log } = options;
  const entries = new Map<string, Entry>();
  const delivering = new Set<string>();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = (id: string): string => join(folder, `${shortName(id)}.json`);
  const keep = async (entry: Entry): Promise<void> => {
    // Said only once it is written: what is said to be done may be forgotten at once, and must not come back by a late write.
    await writeJson(path(entry.id), entry);
    entries.set(entry.id, entry);
  };
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.json')) continue;
    const entry = await readJson<Entry>(join(folder, name));
    if (!entry) continue;
    if (entry.state !== 'running') entries.set(entry.id, entry);
    else if (entry.result !== null) entries.set(entry.id, entry);
    else
      await keep({
        ...entry,
        state: 'failed',
        error: { code: 'Interrupted', message: 'The fabric was restarted while this ran. Ask for it again.' },
      });
  }

  async function perform(work: FabricWork): Promise<void> {
    try {
      const result = await options.run(work);
      await keep({ id: work.id, state: 'running', error: null, result });
      await deliver(work);
    } catch (error) {
      log.warn('work failed', { work: work.id, error });
      await keep({ id: work.id, state: 'failed', error: faultOf(error), result: null });
    }
    options.onChange();
  }

  /** Done means: the superior has the result. */
  async function deliver(work: FabricWork): Promise<void> {
    const { id } = work;
    const entry = entries.get(id);
    if (!entry || entry.result === null || delivering.has(id)) return;
    delivering.add(id);
    try {
      await options.deliver(work, entry.result);
      await keep({ ...entry, state: 'done', result: null });
    } catch (error) {
      log.info('result is not handed up yet', { work: id, error });
    } finally {
      delivering.delete(id);
    }
  }

  return {
    async settle(intent) {
      for (const work of intent.work) {
        const entry = entries.get(work.id);
        if (!entry) {
          await keep({ id: work.id, state: 'running', error: null, result: null });
          void perform(work);
        } else if (entry.result !== null) void deliver(work).then(options.onChange);
      }
      for (const entry of entries.values()) {
        if (entry.state === 'running' || intent.work.some(({ id }) => id === entry.id)) continue;
        entries.delete(entry.id);
        await rm(path(entry.id), { force: true });
      }
    },
    report(intent) {
      const named = (intent?.work ?? []).flatMap(({ id }) => {
        const entry = entries.get(id);
        return entry ? [[id, { state: entry.state, error: entry.error }] as const] : [];
      });
      return Object.fromEntries(named);
    },
  };
}
