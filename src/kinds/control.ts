import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { FabricIntent } from '../exchange/intents/fabric.ts';
import type { OperatorIntent } from '../exchange/intents/operator.ts';
import { revise, type Revised } from '../exchange/revision.ts';
import type { Fault } from '../lib/errors.ts';
import { drive } from '../reconcile/driver.ts';
import type { Status } from '../reconcile/reconciler.ts';
import type { Store } from '../store/resource.ts';
import {
  clusterSecrets,
  clusterType,
  type ClusterProperties,
  type ClusterState,
  type Cluster,
} from './cassandra-cluster/schema.ts';
import { fabricIntent } from './fabric-intent.ts';
import { operatorIntent } from './operator-intent.ts';
import type { Kinds, KindsOptions } from './plane.ts';
import { createEndurance, createPass } from './pass.ts';
import { reconcileAll } from './reconcile.ts';
import { setSettings, type Settings } from './settings.ts';

const defaultHeapMegabytes = 512;
/** A pass that writes is run again on what it wrote; a state of the world settles in a few rounds. */
const mostRounds = 10;

/** Node says 0 where the system doesn't tell. */
const hostMegabytes = (): number | null => Math.floor(process.availableMemory() / 2 ** 20) || null;

/** Starts the reconcilers of all kinds, which make documents for the levels below, and judge what these report. */
export function startKinds(options: KindsOptions): Kinds {
  const { store, clock, log } = options;
  const settings: Settings = {
    providerSubscription: options.providerSubscription,
    operatorAuthority: options.operatorAuthority,
    heapMegabytes: options.heapMegabytes ?? defaultHeapMegabytes,
    availableMegabytes: options.availableMegabytes ?? hostMegabytes,
    levels: options.heard,
  };
  setSettings(store, settings);
  const callbacks: ((peer: string) => void)[] = [];
  const announced = new Map<string, string>();
  const endurance = createEndurance();

  const clusters = (): readonly Cluster[] => store.list<ClusterProperties, ClusterState>(clusterType);
  const clusterBy = (identity: string): Cluster | undefined =>
    clusters().find(
      (cluster) => cluster.state.identity === identity && cluster.provisioningState !== 'Deleting',
    );
  const remembered = createMemory(store);
  const fabric = (): Revised<FabricIntent> => {
    const work = options.work();
    return remembered(`fabric ${JSON.stringify(work)}`, () => revise(fabricIntent(store, settings, work)));
  };
  const operator = (cluster: Cluster): Revised<OperatorIntent> | undefined =>
    remembered(cluster.id, () => {
      const intent = operatorIntent(store, cluster.id);
      return intent && revise(intent);
    });

  let announcedAt: string | undefined;
  function announce(): void {
    const at = `${store.version()} ${JSON.stringify(options.work())}`;
    if (announcedAt === at) return;
    announcedAt = at;
    const now = new Map([['fabric', fabric().revision]]);
    for (const cluster of clusters()) now.set(cluster.state.identity, operator(cluster)?.revision ?? 'none');
    for (const peer of new Set([...announced.keys(), ...now.keys()])) {
      if (announced.get(peer) !== now.get(peer)) for (const callback of callbacks) callback(peer);
    }
    announced.clear();
    for (const [peer, revision] of now) announced.set(peer, revision);
  }

  async function reconcile(): Promise<Status> {
    const now = clock.now();
    const spell = endurance.pass(now);
    let failed: Extract<Status, { at: 'applied' }>['failed'] = [];
    let rounds = 0;
    for (let changed = true; changed && rounds < mostRounds; rounds++) {
      changed = false;
      const pass = createPass({
        store,
        settings,
        now,
        work: options.work(),
        lasting: spell.lasting,
        changed: () => void (changed = true),
      });
      failed = await inSlices(reconcileAll(pass, log), options.signal);
      if (options.signal.aborted) break;
    }
    spell.end();
    if (!options.signal.aborted) announce();
    return {
      at: 'applied',
      unchanged: 0,
      applied: rounds > 1 ? [`${rounds - 1} rounds`] : [],
      cleared: [],
      failed,
    };
  }

  const driven = drive(
    { name: 'kinds', periodMs: 1_000, reconcile: () => Promise.resolve().then(reconcile) },
    { clock, log, signal: options.signal },
  );

  return {
    fabricIntent: fabric,
    operatorIntent(identity) {
      const cluster = clusterBy(identity);
      return cluster && operator(cluster);
    },
    onFabricReport: () => driven.wake('report of the fabric'),
    onOperatorReport: (identity) => driven.wake(`report of operator ${identity}`),
    admitOperator(identity, token, admitted) {
      const verdict = admit(store, clusterBy(identity), token, admitted);
      if (typeof verdict === 'string') driven.wake(`operator ${identity} enrolled`);
      return Promise.resolve(verdict);
    },
    wake: (reason) => driven.wake(reason),
    onIntentChange: (callback) => void callbacks.push(callback),
    clusterOf: (identity) => clusterBy(identity)?.id,
    passes: () => ({ kinds: driven.last() }),
  };
}

/** Documents are read off the store alone, so they are made again only when something was written. */
function createMemory(store: Store): <T>(of: string, make: () => T) => T {
  const made = new Map<string, unknown>();
  let version = store.version();
  return <T>(of: string, make: () => T): T => {
    if (version !== store.version()) made.clear();
    version = store.version();
    if (!made.has(of)) made.set(of, make());
    return made.get(of) as T;
  };
}

/** How long a pass keeps requests waiting at a time, in milliseconds. */
const sliceMs = 5;

/** Runs a pass step by step, and leaves requests as much time in between. */
async function inSlices<T>(steps: Generator<void, readonly T[]>, signal: AbortSignal): Promise<readonly T[]> {
  for (let began = performance.now(); ;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - began < sliceMs) continue;
    await setTimeout(sliceMs);
    if (signal.aborted) return [];
    began = performance.now();
  }
}

/** A token admits one operator, once. `admitted` keeps the admission in the transaction that spends the token. */
function admit(
  store: Store,
  cluster: Cluster | undefined,
  token: string,
  admitted?: (identity: string) => void,
): string | Fault {
  if (!cluster) return { code: 'UnknownCluster', message: 'There is no such cluster here.' };
  const name = clusterSecrets(cluster.state.identity).operatorToken;
  return store.transaction(() => {
    const right = store.secrets.get(name);
    if (right === undefined || cluster.state.operator.admitted) {
      store.event(
        cluster.id,
        'OperatorRefused',
        'A token that was used before was shown at the enrolment port.',
        'Warning',
      );
      return { code: 'TokenSpent', message: 'The token was used before: it is good for one enrolment.' };
    }
    if (!timingSafeEqual(digest(right), digest(token))) {
      store.event(cluster.id, 'OperatorRefused', 'A wrong token was shown at the enrolment port.', 'Warning');
      return { code: 'WrongToken', message: 'The token is not the one that was made for this cluster.' };
    }
    store.secrets.delete(name);
    store.setState(cluster.id, { ...cluster.state, operator: { ...cluster.state.operator, admitted: true } });
    store.event(cluster.id, 'OperatorEnrolled', 'The operator has enrolled at control.');
    admitted?.(cluster.state.identity);
    return cluster.state.identity;
  });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
