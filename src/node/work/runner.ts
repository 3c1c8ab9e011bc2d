import type { NodeWork } from '../../exchange/intents/node.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

export type WorkKind = NodeWork['kind'];
export type WorkHandler = (work: NodeWork, signal: AbortSignal) => Promise<void>;

/** What may take hours, and nobody waits for. */
const beside: readonly WorkKind[] = ['cleanup'];

/**
 * Runs one-shot work one after the other, each id at most once; what takes long, beside the rest. Work that an agent's death interrupted is taken up again:
 * every kind here finds out by itself how far it got.
 */
export interface WorkRunner {
  /** Begins what is new; never waits for it. */
  offer(work: readonly NodeWork[]): void;
  /** The results of the ids that are asked for. */
  results(work: readonly NodeWork[]): Readonly<Record<string, LedgerEntry>>;
  /** Whether there is work that somebody waits for. */
  readonly busy: () => boolean;
}

export function createWorkRunner(options: {
  readonly ledger: Ledger;
  readonly handlers: Readonly<Record<WorkKind, WorkHandler>>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onChange: () => void;
}): WorkRunner {
  const { ledger, handlers, log, signal } = options;
  const mine = new Map<string, 'queue' | 'beside'>();
  const last = { queue: Promise.resolve(), beside: Promise.resolve() };

  async function run(work: NodeWork): Promise<void> {
    if (signal.aborted) return;
    try {
      await ledger.set(work.id, { state: 'running', error: null });
      options.onChange();
      await handlers[work.kind](work, signal);
      // An agent that is told to stop has not failed at its work: its successor takes it up.
      if (signal.aborted) return;
      await ledger.set(work.id, { state: 'done', error: null });
      log.info('work done', { id: work.id, kind: work.kind });
    } catch (error) {
      if (signal.aborted) return;
      log.error('work failed', { id: work.id, kind: work.kind, error });
      await ledger.set(work.id, { state: 'failed', error: faultOf(error) }).catch((reason: unknown) => {
        log.error('the ledger could not be written', { error: reason });
      });
    } finally {
      mine.delete(work.id);
      options.onChange();
    }
  }

  return {
    offer(list) {
      for (const work of list) {
        const state = ledger.entries()[work.id]?.state;
        if (mine.has(work.id) || state === 'done' || state === 'failed') continue;
        const lane = beside.includes(work.kind) ? 'beside' : 'queue';
        mine.set(work.id, lane);
        last[lane] = last[lane].then(() => run(work));
      }
    },
    results(list) {
      const entries = ledger.entries();
      return Object.fromEntries(list.flatMap(({ id }) => (entries[id] ? [[id, entries[id]]] : [])));
    },
    busy: () => [...mine.values()].some((lane) => lane === 'queue'),
  };
}
