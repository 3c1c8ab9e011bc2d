import type { FabricReport, FabricWork } from '../exchange/intents/fabric.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import { revise } from '../exchange/revision.ts';
import type { Store } from '../store/resource.ts';
import { fabricIntent } from './fabric-intent.ts';
import { operatorIntent } from './operator-intent.ts';
import type { Settings } from './settings.ts';

/** What one pass of the reconcilers works with. A report counts only when it speaks of the intent as it is now. */
export interface Pass {
  readonly store: Store;
  readonly settings: Settings;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The fabric's report, once it has applied the intent as it is now. */
  fabric(): FabricReport | undefined;
  /** The operator's report, once it has applied its intent as it is now. */
  operator(clusterId: string): OperatorReport | undefined;
  /** For how long, in milliseconds, each pass without a gap has said so. */
  lasting(what: string): number;
}

/** Remembers across passes how long a condition has held. What isn't said in one pass is forgotten. */
export interface Endurance {
  pass(now: number): { readonly lasting: (what: string) => number; readonly end: () => void };
}

export function createEndurance(): Endurance {
  let since = new Map<string, number>();
  return {
    pass(now) {
      const next = new Map<string, number>();
      return {
        lasting(what) {
          const start = next.get(what) ?? since.get(what) ?? now;
          next.set(what, start);
          return now - start;
        },
        end: () => void (since = next),
      };
    },
  };
}

/** `changed` is told of every write, so that a pass is run again on what it wrote itself. */
export function createPass(options: {
  readonly store: Store;
  readonly settings: Settings;
  readonly now: number;
  readonly work: readonly FabricWork[];
  readonly lasting: (what: string) => number;
  readonly changed: () => void;
}): Pass {
  const { settings, work } = options;
  const revisions = new Map<string, string | undefined>();
  const store = watch(options.store, () => {
    revisions.clear();
    options.changed();
  });
  let version = options.store.version();
  const revision = (of: string, compute: () => string | undefined): string | undefined => {
    // Requests are answered between two steps of a pass, and may ask for something else.
    if (version !== options.store.version()) revisions.clear();
    version = options.store.version();
    if (!revisions.has(of)) revisions.set(of, compute());
    return revisions.get(of);
  };
  return {
    store,
    settings,
    now: options.now,
    lasting: options.lasting,
    fabric() {
      const heard = settings.levels.fabric();
      if (!heard) return undefined;
      return heard.applied === revision('fabric', () => revise(fabricIntent(store, settings, work)).revision)
        ? heard.report
        : undefined;
    },
    operator(clusterId) {
      const heard = settings.levels.operator(clusterId);
      if (!heard || heard.applied === null) return undefined;
      const now = revision(clusterId.toLowerCase(), () => {
        const intent = operatorIntent(store, clusterId);
        return intent && revise(intent).revision;
      });
      return heard.applied === now ? heard.report : undefined;
    },
  };
}

/** The store, telling of each write that changes what is stored. */
function watch(store: Store, changed: () => void): Store {
  return {
    ...store,
    setState(id, state) {
      if (JSON.stringify(store.get(id)?.state) === JSON.stringify(state)) return;
      store.setState(id, state);
      changed();
    },
    settle(id, generation, verdict) {
      store.settle(id, generation, verdict);
      changed();
    },
    remove(id) {
      store.remove(id);
      changed();
    },
    putOwned(resource) {
      const before = store.get(resource.id)?.etag;
      store.putOwned(resource);
      if (store.get(resource.id)?.etag !== before) changed();
    },
    secrets: store.secrets,
  };
}
