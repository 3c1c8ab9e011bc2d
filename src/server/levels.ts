import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { GateReport } from '../exchange/intents/gate.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Heard, Levels } from '../kinds/levels.ts';
import type { Kinds } from '../kinds/plane.ts';

/** The last report of each level, in memory: after a start each level speaks within seconds. */
export interface Ear extends Levels {
  hearFabric(heard: Heard<FabricReport>): void;
  hearGate(heard: Heard<GateReport>): void;
  hearOperator(identity: string, heard: Heard<OperatorReport>): void;
  /** By identity, for status. */
  operators(): ReadonlyMap<string, Heard<OperatorReport>>;
}

/** `kinds` is asked late: it is made with this. */
export function createEar(kinds: () => Pick<Kinds, 'clusterOf'>): Ear {
  let fabric: Heard<FabricReport> | undefined;
  let gate: Heard<GateReport> | undefined;
  const operators = new Map<string, Heard<OperatorReport>>();
  /** A cluster's ARM id, in lower case, to its operator's identity. */
  const identities = new Map<string, string>();
  const isThere = (identity: string): boolean => kinds().clusterOf?.(identity) !== undefined;

  /** What is said of a cluster goes with it: another of its name may follow. */
  function forgetGone(): void {
    for (const [cluster, identity] of identities) if (!isThere(identity)) identities.delete(cluster);
    for (const identity of operators.keys()) if (!isThere(identity)) operators.delete(identity);
  }

  return {
    hearFabric: (heard) => {
      fabric = heard;
    },
    hearGate: (heard) => {
      gate = heard;
    },
    hearOperator(identity, heard) {
      const cluster = kinds().clusterOf?.(identity);
      if (cluster === undefined) return void operators.delete(identity);
      if (!operators.has(identity)) forgetGone();
      identities.set(cluster.toLowerCase(), identity);
      operators.set(identity, heard);
    },
    operators: () => operators,
    fabric: () => fabric,
    gate: () => gate,
    operator(clusterId) {
      const identity = identities.get(clusterId.toLowerCase());
      return identity !== undefined && isThere(identity) ? operators.get(identity) : undefined;
    },
  };
}
