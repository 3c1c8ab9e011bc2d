/** What the levels below say, as what a reconciler reads: it is run again where something new is said, and not else. */
import { isDeepStrictEqual } from 'node:util';
import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { GateReport } from '../exchange/intents/gate.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ledger } from '../reconcile/ledger.ts';
import { silentMs } from './levels.ts';

/** The names by which a ledger knows it. */
export const whats = {
  fabricReport: 'report fabric',
  fabricHeard: 'heard fabric',
  gateReport: 'report gate',
  machine: (id: string): string => `machine ${id}`,
  operatorReport: (clusterId: string): string => `report ${clusterId.toLowerCase()}`,
} as const;

export interface Said<R> {
  readonly report: R;
  /** The revision of intent that the report speaks of. */
  readonly applied: string | null;
}

export interface Reports {
  /** Whether there is anything new in it. A report comes with every pass of a level's, and mostly says the same. */
  fabric(said: Said<FabricReport>): boolean;
  operator(identity: string, clusterId: string, said: Said<OperatorReport>): boolean;
  gate(said: Said<GateReport>): boolean;
}

/** A little before anybody misses it: who does has not asked for the time in the same moment. */
const missedMs = silentMs - 1_000;

/**
 * Tells of what is new in a report. That an operator speaks at all is new once it was missed. `isThere`: whether the cluster of
 * an identity still is; what the others said is forgotten when a new one speaks.
 */
export function createReports(
  { changed }: Pick<Ledger, 'changed'>,
  { now }: Pick<Clock, 'now'>,
  isThere: (identity: string) => boolean = () => true,
): Reports {
  let last: Said<FabricReport> | undefined;
  let gate: Said<GateReport> | undefined;
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
    gate(said) {
      const before = gate;
      gate = said;
      const isNew = !isDeepStrictEqual(before && standing(before), standing(said));
      if (isNew) changed(whats.gateReport);
      return isNew;
    },
    operator(identity, clusterId, said) {
      const before = operators.get(identity);
      const at = now();
      if (!before) for (const other of operators.keys()) if (!isThere(other)) operators.delete(other);
      operators.set(identity, { said, at });
      // Where the clock was set back in between, whoever counts on it has to look again as well.
      const missed = before !== undefined && (at - before.at > missedMs || at < before.at);
      if (!missed && isDeepStrictEqual(before?.said, said)) return false;
      changed(whats.operatorReport(clusterId));
      return true;
    },
  };
}

/** What of the gate's report somebody waits for: sums come with every beat, and nobody does. */
const standing = ({ applied, report: { clusters, state, error } }: Said<GateReport>) => ({
  ...{ applied, state, error },
  clusters: Object.entries(clusters).map(([identity, { authority, error: flaw }]) => [
    identity,
    authority,
    flaw,
  ]),
});
