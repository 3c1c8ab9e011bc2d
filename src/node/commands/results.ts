import type { CommandReport } from '../../exchange/intents/node.ts';
import { readJson, writeJson } from '../../lib/files.ts';

/**
 * Remembers, on disk, which commands were begun and what came of them: no id is begun twice, also by the next agent. A
 * result is kept as long as its command is asked for; that it was begun, longer.
 */
export interface Results {
  get(id: string): CommandReport | undefined;
  begun(id: string): boolean;
  set(id: string, report: CommandReport): Promise<void>;
  /** Forgets the results of all others. */
  keep(ids: readonly string[]): Promise<void>;
}

interface Kept {
  readonly begun: readonly string[];
  readonly reports: Readonly<Record<string, CommandReport>>;
}

/** Beyond this many the oldest are forgotten; ids never return. */
const remembered = 1_000;

export async function openResults(path: string): Promise<Results> {
  let kept: Kept = (await readJson<Kept>(path)) ?? { begun: [], reports: {} };
  const write = async (next: Kept): Promise<void> => {
    await writeJson(path, next, 0o600);
    kept = next;
  };
  const interrupted = Object.entries(kept.reports).filter(([, { state }]) => state === 'running');
  if (interrupted.length > 0) {
    const failed = interrupted.map(([id]) => [id, failure('Interrupted', wasInterrupted)] as const);
    await write({ ...kept, reports: { ...kept.reports, ...Object.fromEntries(failed) } });
  }
  return {
    get: (id) => (Object.hasOwn(kept.reports, id) ? kept.reports[id] : undefined),
    begun: (id) => kept.begun.includes(id),
    set: (id, report) =>
      write({
        begun: [...kept.begun.filter((one) => one !== id), id].slice(-remembered),
        reports: { ...kept.reports, [id]: report },
      }),
    async keep(ids) {
      const reports = Object.entries(kept.reports).filter(([id]) => ids.includes(id));
      if (reports.length < Object.keys(kept.reports).length)
        await write({ ...kept, reports: Object.fromEntries(reports) });
    },
  };
}

const wasInterrupted = 'The agent of this node ended while the command ran. Run it again.';

export const failure = (code: string, message: string): CommandReport => ({
  state: 'failed',
  output: '',
  errorOutput: '',
  exitCode: null,
  error: { code, message },
});
