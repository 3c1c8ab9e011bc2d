/** The documents for the levels below as they are now, and whom to tell when one of them is another. */
import { isDeepStrictEqual } from 'node:util';
import type { FabricIntent, FabricWork } from '../exchange/intents/fabric.ts';
import type { GateIntent } from '../exchange/intents/gate.ts';
import { gatePeer } from '../exchange/intents/join.ts';
import type { OperatorIntent } from '../exchange/intents/operator.ts';
import { revise, type Revised } from '../exchange/revision.ts';
import type { Ledger } from '../reconcile/ledger.ts';
import type { Change, Store } from '../store/resource.ts';
import {
  clusterType,
  type Cluster,
  type ClusterProperties,
  type ClusterState,
} from './cassandra-cluster/schema.ts';
import { reviseFabric } from './fabric-intent.ts';
import { reviseGate } from './gate-intent.ts';
import { operatorIntent } from './operator-intent.ts';
import type { Settings } from './settings.ts';

/** The peers of the exchange that are the fabric and the gate; any other is an operator, by its cluster's identity. */
const fabricPeer = 'fabric';
const fabricDocument = 'the fabric';
const gateDocument = 'the gate';
const ordersOfWork = 'work';
const operatorDocument = (clusterId: string): string => `operator of ${clusterId.toLowerCase()}`;

export interface Documents {
  fabric(): Revised<FabricIntent>;
  /** Undefined: no cluster with that identity, or one that is being deleted. */
  operator(identity: string): Revised<OperatorIntent> | undefined;
  /** Only those that are not being deleted. */
  clusterOf(identity: string): Cluster | undefined;
  /** Undefined: there is no gate. */
  gate(): Revised<GateIntent> | undefined;
  readonly revisions: {
    fabric(): string;
    operator(clusterId: string): string | undefined;
    gate(): string | undefined;
  };
  /** Something that a document was read off is another now. Other names than theirs are nobody here. */
  concerned(document: string): void;
  written(change: Extract<Change, { of: 'resource' }>): void;
  onChange(callback: (peer: string) => void): void;
  /** Calls back for every document that may be another than when it was last asked for; who never asks isn't told again. */
  announce(): void;
}

export function createDocuments({
  store,
  ledger,
  settings,
  work,
}: {
  /** Reading it is noted: see store/noting.ts. */
  readonly store: Store;
  readonly ledger: Pick<Ledger, 'memo' | 'reads' | 'changed'>;
  readonly settings: Settings;
  readonly work: () => readonly FabricWork[];
}): Documents {
  const callbacks: ((peer: string) => void)[] = [];
  /** Cluster ids by identity. A cluster keeps its identity; whether it is still there is asked each time. */
  const clusters = new Map<string, string>();
  /** Of clusters, by the name of their document. */
  const identities = new Map<string, string>();
  /** Peers whose document may be another. */
  const moved = new Set<string>([fabricPeer, gatePeer]);
  let orders: readonly FabricWork[] = [];

  const clusterAt = (id: string): Cluster | undefined => store.get<ClusterProperties, ClusterState>(id);

  function meet(id: string): void {
    const document = operatorDocument(id);
    const before = identities.get(document);
    const identity = clusterAt(id)?.state.identity;
    if (before !== undefined && before !== identity) {
      clusters.delete(before);
      identities.delete(document);
      moved.add(before);
    }
    if (identity === undefined) return;
    clusters.set(identity, id);
    identities.set(document, identity);
    moved.add(identity);
  }
  for (const id of store.idsOf(clusterType)) meet(id);

  function clusterOf(identity: string): Cluster | undefined {
    const cluster = clusterAt(clusters.get(identity) ?? '');
    return cluster?.state.identity === identity && cluster.provisioningState !== 'Deleting'
      ? cluster
      : undefined;
  }

  /** Work is asked for and done without a write: whoever asks sees to it that the document has what there is now. */
  function ordersNow(): readonly FabricWork[] {
    const now = work();
    if (!isDeepStrictEqual(now, orders)) {
      orders = now;
      ledger.changed(ordersOfWork);
    }
    return now;
  }

  function fabric(): Revised<FabricIntent> {
    const now = ordersNow();
    return ledger.memo(fabricDocument, () => {
      ledger.reads(ordersOfWork);
      return reviseFabric(store, settings, now, ledger.memo);
    });
  }

  const operatorAt = (clusterId: string): Revised<OperatorIntent> | undefined =>
    ledger.memo(operatorDocument(clusterId), () => {
      const intent = operatorIntent(store, clusterId, settings);
      return intent && revise(intent);
    });

  function operator(identity: string): Revised<OperatorIntent> | undefined {
    const cluster = clusterOf(identity);
    return cluster && operatorAt(cluster.id);
  }

  const gate = (): Revised<GateIntent> | undefined =>
    ledger.memo(gateDocument, () => reviseGate(store, settings, ledger.memo));

  return {
    fabric,
    gate,
    operator,
    clusterOf,
    revisions: {
      fabric: () => fabric().revision,
      operator: (clusterId) => operatorAt(clusterId)?.revision,
      gate: () => gate()?.revision,
    },
    concerned(document) {
      if (document === fabricDocument) moved.add(fabricPeer);
      if (document === gateDocument) moved.add(gatePeer);
      const identity = identities.get(document);
      if (identity !== undefined) moved.add(identity);
    },
    written({ type, key }) {
      if (type === clusterType) meet(key);
    },
    onChange: (callback) => void callbacks.push(callback),
    announce() {
      ordersNow();
      for (const peer of moved) {
        moved.delete(peer);
        for (const callback of callbacks) callback(peer);
      }
    },
  };
}
