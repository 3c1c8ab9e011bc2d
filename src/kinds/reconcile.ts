import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Failure } from '../reconcile/reconciler.ts';
import type { Ledger } from '../reconcile/ledger.ts';
import type { Resource, Store } from '../store/resource.ts';
import { applicationGroupType } from './application-security-group/schema.ts';
import { reconcileApplied } from './applied.ts';
import { reconcileCluster } from './cassandra-cluster/reconcile.ts';
import { clusterType, type Cluster } from './cassandra-cluster/schema.ts';
import { reconcileDataCenter } from './cassandra-data-center/reconcile.ts';
import { dataCenterType, type DataCenter } from './cassandra-data-center/schema.ts';
import { ensureGate } from './gate-enrolment.ts';
import { renewLogSignatures } from './log-signatures.ts';
import { noteGateAuthority } from './cassandra-cluster/gate-authority.ts';
import { isPlatform } from './platform-network.ts';
import { networkInterfaceType, type InterfaceProperties } from './network-interface/schema.ts';
import { securityGroupType } from './network-security-group/schema.ts';
import { putWatcher } from './network-watcher/schema.ts';
import { createPass, type Hours, type Pass } from './pass.ts';
import { reconcilePrivateEndpoint } from './private-endpoint/reconcile.ts';
import { privateEndpointType, type Endpoint } from './private-endpoint/schema.ts';
import { reconcileConnection } from './private-link-connection/reconcile.ts';
import { privateLinkConnectionType, type Connection } from './private-link-connection/schema.ts';
import { privateLinkServiceType, type LinkService } from './private-link-service/schema.ts';
import { routeTableType } from './route-table/schema.ts';
import { routeType } from './route/schema.ts';
import { securityRuleType } from './security-rule/schema.ts';
import { policyDefinitionType } from './service-endpoint-policy-definition/schema.ts';
import { endpointPolicyType } from './service-endpoint-policy/schema.ts';
import type { Settings } from './settings.ts';
import { subnetType, type Subnet } from './subnet/schema.ts';
import { putNodeMachines, putOperatorMachine, removeGone } from './virtual-machine/reconcile.ts';
import { virtualMachineType, type VirtualMachine } from './virtual-machine/schema.ts';
import { peeringType } from './virtual-network-peering/schema.ts';
import { reconcileSubnet, reconcileVirtualNetwork } from './virtual-network/reconcile.ts';
import { virtualNetworkType, type VirtualNetwork } from './virtual-network/schema.ts';

type Step = readonly [type: string, reconcile: (resource: Resource, pass: Pass) => void];

const step = <R>(type: string, reconcile: (resource: R, pass: Pass) => void): Step => [
  type,
  (resource, pass) => reconcile(resource as R, pass),
];
const parent = (id: string): string => id.split('/').slice(0, -2).join('/');

/** In the order in which one makes another possible. */
const steps: readonly Step[] = [
  step<VirtualNetwork>(virtualNetworkType, reconcileVirtualNetwork),
  step<Subnet>(subnetType, ensureGate),
  step<Subnet>(subnetType, renewLogSignatures),
  step<Subnet>(subnetType, (subnet, pass) =>
    reconcileSubnet(subnet, pass.store.get(parent(subnet.id)) as VirtualNetwork | undefined, pass),
  ),
  step<VirtualNetwork>(virtualNetworkType, (network, { store }) => {
    if (!isPlatform(network)) putWatcher(store, network);
  }),
  ...[
    peeringType,
    securityGroupType,
    securityRuleType,
    applicationGroupType,
    endpointPolicyType,
    policyDefinitionType,
    routeTableType,
    routeType,
  ].map((type) => step<Resource>(type, reconcileApplied)),
  step<Cluster>(clusterType, reconcileCluster),
  step<Cluster>(clusterType, noteGateAuthority),
  step<Cluster>(clusterType, (cluster, { store }) => putWatcher(store, cluster)),
  step<LinkService>(privateLinkServiceType, (service, { store }) => {
    const { clusterId } = service.properties;
    const gone = clusterId === null ? service.provisioningState === 'Deleting' : !store.get(clusterId);
    if (gone) store.remove(service.id);
  }),
  step<Endpoint>(privateEndpointType, reconcilePrivateEndpoint),
  step<Connection>(privateLinkConnectionType, reconcileConnection),
  step<DataCenter>(dataCenterType, (dataCenter, pass) =>
    reconcileDataCenter(dataCenter, pass.store.get(parent(dataCenter.id)) as Cluster | undefined, pass),
  ),
  step<Cluster>(clusterType, putOperatorMachine),
  step<DataCenter>(dataCenterType, (dataCenter, pass) =>
    putNodeMachines(dataCenter, pass.store.get(parent(dataCenter.id)) as Cluster | undefined, pass),
  ),
  step<VirtualMachine>(virtualMachineType, removeGone),
  step<Resource<InterfaceProperties>>(networkInterfaceType, (nic, { store }) => {
    if (!store.get(nic.properties.ownerId)) store.remove(nic.id);
  }),
];

/** A piece of work is one step of one resource: `<index of the step> <id in lower case>`. */
const pieceOf = (step: number, id: string): string => `${step} ${id.toLowerCase()}`;

const stepsOf = new Map<string, number[]>();
for (const [index, [type]] of steps.entries()) {
  const key = type.toLowerCase();
  stepsOf.set(key, [...(stepsOf.get(key) ?? []), index]);
}

export interface Agenda {
  /** Something that a piece has read is another now. Other names than those of pieces are nobody here. */
  concerned(piece: string): void;
  /** A resource was made, changed or removed. */
  written(type: string, id: string): void;
  /** Some more of all that there is, in turn, whether or not anything of it changed: so nothing stays missed. */
  lookAround(most: number): void;
  /** All that there is. */
  lookAtAll(): void;
  /** How many there were when it last came round. */
  pieces(): number;
  /** What is due by the time. */
  tick(now: number): void;
  /**
   * What is due now, each once, in the order of the steps; says which piece it has looked at. Goes on past a failure, which is
   * due again at the next tick. Who breaks it off loses nothing: what has not been looked at stays due.
   */
  work(now: number): Generator<string, readonly Failure[]>;
  isEmpty(): boolean;
}

/** What is to be looked at: everything at the start, and later what a change or the time concerns. */
export function createAgenda(options: {
  /** Reading it is noted: see store/noting.ts. */
  readonly store: Store;
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly revisions: Parameters<typeof createPass>[0]['revisions'];
  readonly log: Log;
}): Agenda {
  const { store, ledger, log } = options;
  const due: Set<string>[] = steps.map(() => new Set());
  /** Of the pieces that wait for a time. */
  const hours = new Map<string, Hours>();
  const add = (piece: string): void => void due[Number.parseInt(piece, 10)]?.add(piece);
  let length = 0;
  const round = (): ReturnType<typeof everything> => everything(store, (count) => (length = count));
  let around = round();

  function look(piece: string, now: number): Failure | undefined {
    const at = piece.indexOf(' ');
    const [, reconcile] = steps[Number(piece.slice(0, at))]!;
    const id = piece.slice(at + 1);
    const { pass, hours: kept } = createPass({ ...options, now, hours: hours.get(piece) });
    const failure = ledger.run(piece, (): Failure | undefined => {
      const resource = store.get(id);
      if (!resource) return undefined;
      try {
        store.transaction(() => reconcile(resource, pass));
        return undefined;
      } catch (error) {
        log.error('a resource could not be reconciled', { id, error });
        pass.again(now);
        return { item: resource.id, error: faultOf(error) };
      }
    });
    if (!store.get(id)) ledger.forget(piece);
    if (kept().due === undefined && kept().since.size === 0) hours.delete(piece);
    else hours.set(piece, kept());
    return failure;
  }

  /** What could not even be read is due as before. */
  function lookOrKeep(piece: string, now: number): Failure | undefined {
    try {
      return look(piece, now);
    } catch (error) {
      add(piece);
      throw error;
    }
  }

  function lookAround(most: number): void {
    for (let count = 0; count < most; count++) {
      const next = around.next().value;
      if (next === undefined) return;
      add(next);
    }
  }

  return {
    concerned: add,
    written(type, id) {
      for (const step of stepsOf.get(type.toLowerCase()) ?? []) add(pieceOf(step, id));
    },
    lookAround,
    lookAtAll() {
      around = round();
      lookAround(Infinity);
    },
    pieces: () => length,
    tick(now) {
      for (const [piece, { due: at }] of hours) if (at !== undefined && at <= now) add(piece);
    },
    *work(now) {
      const failed: Failure[] = [];
      for (const pieces of due) {
        for (const piece of [...pieces]) {
          // Before it is looked at: what it writes itself may make it due once more.
          pieces.delete(piece);
          const failure = lookOrKeep(piece, now);
          if (failure) failed.push(failure);
          yield piece;
        }
      }
      return failed;
    },
    isEmpty: () => due.every(({ size }) => size === 0),
  };
}

/** All pieces, round after round, with undefined after each; `cameRound` hears how many there were. */
function* everything(
  store: Pick<Store, 'idsOf'>,
  cameRound: (pieces: number) => void,
): Generator<string | undefined, never> {
  for (;;) {
    let pieces = 0;
    for (const [step, [type]] of steps.entries()) {
      for (const id of store.idsOf(type)) {
        pieces++;
        yield pieceOf(step, id);
      }
    }
    cameRound(pieces);
    yield undefined;
  }
}
