/** Reading that is noted: the names by which a ledger knows what is read of the store and of the reports of the levels below. */
import { isDeepStrictEqual } from 'node:util';
import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ledger } from '../reconcile/ledger.ts';
import type { Change, Store } from '../store/resource.ts';
import { silentMs } from './cassandra-cluster/silence.ts';

const lower = (text: string): string => text.toLowerCase();
const listOf = (type: string, scope: string): string => `list ${lower(type)} ${scope}`;
const belowOf = (scope: string): string => `below ${scope}`;
const secretOf = (name: string): string => `secret ${name}`;
const scopeOf = (scope: string | undefined): string => lower(scope ?? '').replace(/\/+$/, '');

export const whats = {
  fabricReport: 'report fabric',
  fabricHeard: 'heard fabric',
  machine: (id: string): string => `machine ${id}`,
  operatorReport: (clusterId: string): string => `report ${lower(clusterId)}`,
} as const;

/** The store, noting what is read of it. A resource is known by its id in lower case. */
export function noting(store: Store, ledger: Pick<Ledger, 'reads'>): Store {
  return {
    ...store,
    get(id) {
      ledger.reads(lower(id));
      return store.get(id);
    },
    list(type, scope) {
      ledger.reads(listOf(type, scopeOf(scope)));
      return store.list(type, scope);
    },
    idsOf(type) {
      ledger.reads(listOf(type, ''));
      return store.idsOf(type);
    },
    below(scope) {
      ledger.reads(belowOf(scopeOf(scope)));
      return store.below(scope);
    },
    secrets: {
      ...store.secrets,
      get(name) {
        ledger.reads(secretOf(name));
        return store.secrets.get(name);
      },
    },
  };
}

/** A write changes the resource itself, and every list that it is in or would be in. */
export function noteChange(ledger: Pick<Ledger, 'changed'>, change: Change): void {
  if (change.of === 'secret') return ledger.changed(secretOf(change.name));
  const { key, type } = change;
  ledger.changed(key);
  for (let at = key.lastIndexOf('/'); at >= 0; at = at > 0 ? key.lastIndexOf('/', at - 1) : -1) {
    const scope = key.slice(0, at);
    ledger.changed(listOf(type, scope));
    ledger.changed(belowOf(scope));
  }
}

export interface Said<R> {
  readonly report: R;
  /** The revision of intent that the report speaks of. */
  readonly applied: string | null;
}

export interface Reports {
  /** Whether there is anything new in it. A report comes with every pass of a level's, and mostly says the same. */
  fabric(said: Said<FabricReport>): boolean;
  operator(identity: string, clusterId: string, said: Said<OperatorReport>): boolean;
}

/** Tells of what is new in a report. That an operator speaks at all is new once it was missed. */
export function createReports({ changed }: Pick<Ledger, 'changed'>, { now }: Pick<Clock, 'now'>): Reports {
  let last: Said<FabricReport> | undefined;
  const operators = new Map<string, { said: Said<OperatorReport>; at: number }>();
  return {
    fabric(said) {
      const before = last;
      if (isDeepStrictEqual(before, said)) return false;
      last = said;
      changed(whats.fabricReport);
      if (!before) changed(whats.fabricHeard);
      for (const id of Object.keys({ ...before?.report.machines, ...said.report.machines })) {
        if (!isDeepStrictEqual(before?.report.machines[id], said.report.machines[id]))
          changed(whats.machine(id));
      }
      return true;
    },
    operator(identity, clusterId, said) {
      const before = operators.get(identity);
      const at = now();
      operators.set(identity, { said, at });
      const missed = before !== undefined && at - before.at > silentMs;
      if (!missed && isDeepStrictEqual(before?.said, said)) return false;
      changed(whats.operatorReport(clusterId));
      return true;
    },
  };
}
