import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Heard, Levels } from '../kinds/levels.ts';
import type { Kinds } from '../kinds/plane.ts';

/** The last report of each level, in memory: after a start each level speaks within seconds. */
export interface Ear extends Levels {
  hearFabric(heard: Heard<FabricReport>): void;
  hearOperator(identity: string, heard: Heard<OperatorReport>): void;
  /** By identity, for status. */
  operators(): ReadonlyMap<string, Heard<OperatorReport>>;
}

/** `kinds` is asked late: it is made with this. */
export function createEar(kinds: () => Pick<Kinds, 'clusterOf'>): Ear {
  let fabric: Heard<FabricReport> | undefined;
  const operators = new Map<string, Heard<OperatorReport>>();
  /** A cluster's ARM id, in lower case, to its operator's identity. */
  const identities = new Map<string, string>();
  const identityOf = (clusterId: string): string | undefined => identities.get(clusterId.toLowerCase());

  return {
    hearFabric: (heard) => {
      fabric = heard;
    },
    hearOperator(identity, heard) {
      const cluster = kinds().clusterOf?.(identity);
      if (cluster === undefined) return void operators.delete(identity);
      identities.set(cluster.toLowerCase(), identity);
      operators.set(identity, heard);
    },
    operators: () => operators,
    fabric: () => fabric,
    operator: (clusterId) => operators.get(identityOf(clusterId) ?? ''),
  };
}
