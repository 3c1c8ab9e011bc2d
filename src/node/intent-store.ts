import type { NodeIntent } from '../exchange/intents/node.ts';
import type { Revised } from '../exchange/revision.ts';
import { readJson, writeJson } from '../lib/files.ts';

/**
 * The last intent, for a start without a superior. Work and commands are left out: they may hold secrets, and are the operator's
 * to hand out again; what was done is in the ledger. So is the right to write logs, which is of no use without the operator.
 */
export interface IntentStore {
  /** As of now; its work is empty until the operator has spoken in this life. */
  current(): NodeIntent | undefined;
  /** The revision that was heard in this life; null before. */
  heard(): string | null;
  take(intent: Revised<NodeIntent>): Promise<void>;
}

export async function openIntentStore(path: string): Promise<IntentStore> {
  let current = await readJson<NodeIntent>(path);
  let heard: string | null = null;
  return {
    current: () => current,
    heard: () => heard,
    async take({ revision, document }) {
      current = document;
      heard = revision;
      const { logs: _, ...services } = document.services ?? {};
      const kept = { ...document, work: [], commands: [], ...(document.services && { services }) };
      await writeJson(path, kept, 0o600);
    },
  };
}
