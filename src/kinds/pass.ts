import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { GateReport } from '../exchange/intents/gate.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Ledger } from '../reconcile/ledger.ts';
import type { Store } from '../store/resource.ts';
import type { Heard } from './levels.ts';
import { whats } from './reports.ts';
import type { Settings } from './settings.ts';

/**
 * What a reconciler works with. All that it reads here is noted: it is run again when any of that changes, and not before. A
 * report counts only when it speaks of the intent as it is now.
 */
export interface Pass {
  readonly store: Store;
  readonly settings: Omit<Settings, 'levels'>;
  /** Milliseconds since the epoch. Passes on without anybody being run again: see `again` and `lasts`. */
  readonly now: number;
  /** The fabric's report, once it has applied the intent as it is now. For who waits for it: every word of it is read. */
  fabric(): FabricReport | undefined;
  /** Whether the fabric has reported at all. */
  fabricHeard(): boolean;
  /** What the fabric last said of a machine, whatever intent it spoke of. */
  machine(id: string): FabricReport['machines'][string] | undefined;
  /** The operator's report, once it has applied its intent as it is now. */
  operator(clusterId: string): OperatorReport | undefined;
  /** The operator's last report, whatever intent it spoke of; `at` may be later by now while it says the same. */
  operatorHeard(clusterId: string): Heard<OperatorReport> | undefined;
  /** The gate's report, whatever intent it spoke of: of a cluster's authority and errors, and not of sums. */
  gateHeard(): Heard<GateReport> | undefined;
  /** Whether the gate does as it is told now; also where there is none. */
  gateApplied(): boolean;
  /** Looks at the resource again at that time (milliseconds since the epoch), whatever happens. */
  again(at: number): void;
  /** Whether each look at the resource has said so for `ms` milliseconds, and looks again when it will have. */
  lasts(what: string, ms: number): boolean;
}

/** What is remembered of one piece of work between its runs. */
export interface Hours {
  /** Since when what has been said lasts. What isn't said in one run is forgotten. */
  readonly since: ReadonlyMap<string, number>;
  /** When to look again; undefined: when something changes. */
  readonly due: number | undefined;
}

/** A pass as one piece of work sees it. */
export function createPass(options: {
  /** Reading it is noted: see store/noting.ts. */
  readonly store: Store;
  readonly ledger: Pick<Ledger, 'reads'>;
  readonly settings: Settings;
  /** Revisions of the documents as they are now, which whoever asks for has read. */
  readonly revisions: {
    fabric(): string;
    operator(clusterId: string): string | undefined;
    gate?(): string | undefined;
  };
  readonly now: number;
  /** As the last run left them; undefined: nothing waited. */
  readonly hours: Hours | undefined;
}): { readonly pass: Pass; readonly hours: () => Hours } {
  const { store, ledger, settings, revisions, now } = options;
  const { levels } = settings;
  const since = new Map<string, number>();
  let due: number | undefined;
  const again = (at: number): void => {
    due = Math.min(at, due ?? at);
  };
  const operatorHeard = (clusterId: string): Heard<OperatorReport> | undefined => {
    ledger.reads(whats.operatorReport(clusterId));
    return levels.operator(clusterId);
  };
  const gateHeard = (): Heard<GateReport> | undefined => {
    ledger.reads(whats.gateReport);
    return levels.gate?.();
  };
  const pass: Pass = {
    store,
    settings,
    now,
    fabric() {
      ledger.reads(whats.fabricReport);
      const heard = levels.fabric();
      return heard && heard.applied === revisions.fabric() ? heard.report : undefined;
    },
    fabricHeard() {
      ledger.reads(whats.fabricHeard);
      return levels.fabric() !== undefined;
    },
    machine(id) {
      ledger.reads(whats.machine(id));
      return levels.fabric()?.report.machines[id];
    },
    operator(clusterId) {
      const heard = operatorHeard(clusterId);
      if (!heard || heard.applied === null) return undefined;
      return heard.applied === revisions.operator(clusterId) ? heard.report : undefined;
    },
    operatorHeard,
    gateHeard,
    gateApplied() {
      const wanted = revisions.gate?.();
      return wanted === undefined || gateHeard()?.applied === wanted;
    },
    again,
    lasts(what, ms) {
      const start = since.get(what) ?? options.hours?.since.get(what) ?? now;
      since.set(what, start);
      if (now - start >= ms) return true;
      again(start + ms);
      return false;
    },
  };
  return { pass, hours: () => ({ since, due }) };
}
