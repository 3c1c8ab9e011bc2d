import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Fault } from '../lib/errors.ts';
import { drive } from '../reconcile/driver.ts';
import { createLedger } from '../reconcile/ledger.ts';
import type { Failure, Status } from '../reconcile/reconciler.ts';
import type { Store } from '../store/resource.ts';
import { clusterSecrets, type Cluster } from './cassandra-cluster/schema.ts';
import { createDocuments } from './documents.ts';
import { admitGate } from './gate-enrolment.ts';
import type { Kinds, KindsOptions } from './plane.ts';
import { noteChange, noting } from '../store/noting.ts';
import { putPlatformNetwork } from './platform-network.ts';
import { createReports } from './reports.ts';
import { createAgenda } from './reconcile.ts';
import { setSettings, type Settings } from './settings.ts';

const defaultHeapMegabytes = 512;
/** A pass that writes goes on with what its writes concern; a state of the world settles in a few rounds. */
const mostRounds = 10;
const periodMs = 1_000;
/** Everything is looked at anew within so many periods, or so many a period where there is little. */
const periodsAround = 600;
const leastAround = 5;

/** Node says 0 where the system doesn't tell. */
const hostMegabytes = (): number | null => Math.floor(process.availableMemory() / 2 ** 20) || null;

/** Starts the reconcilers of all kinds, which make documents for the levels below, and judge what these report. */
export function startKinds(options: KindsOptions): Kinds {
  const { clock, log, signal } = options;
  const settings: Settings = {
    providerSubscription: options.providerSubscription,
    operatorAuthority: options.operatorAuthority,
    wallsMinutes: options.wallsMinutes,
    heapMegabytes: options.heapMegabytes ?? defaultHeapMegabytes,
    availableMegabytes: options.availableMegabytes ?? hostMegabytes,
    levels: options.heard,
    probes: options.probes,
    location: options.location ?? 'eastus2',
    accounts: options.accounts ?? [],
    services: options.services,
  };
  setSettings(options.store, settings);
  putPlatformNetwork(options.store, settings);
  const ledger = createLedger((piece) => {
    agenda.concerned(piece);
    documents.concerned(piece);
  });
  const store = noting(options.store, ledger);
  const documents = createDocuments({ store, ledger, settings, work: options.work });
  const agenda = createAgenda({ store, ledger, settings, revisions: documents.revisions, log });
  const reports = createReports(ledger, clock, (identity) => documents.clusterOf(identity) !== undefined);
  const unlisten = options.store.onChange((change) => {
    noteChange(ledger, change);
    if (change.of === 'secret') return;
    agenda.written(change.type, change.key);
    documents.written(change);
  });
  signal.addEventListener('abort', unlisten, { once: true });

  let lookedAround = clock.now();
  async function reconcile(): Promise<Status> {
    const now = clock.now();
    agenda.tick(now);
    // A clock that was set back: what was to be looked at by its hours might wait for long.
    if (now <= lookedAround - periodMs) agenda.lookAtAll();
    if (Math.abs(now - lookedAround) >= periodMs) {
      lookedAround = now;
      agenda.lookAround(Math.max(leastAround, agenda.pieces() / periodsAround));
    }
    const failed = new Map<string, Failure>();
    let rounds = 0;
    let looked = 0;
    const onStep = (): void => void looked++;
    const onLost = (pieces: readonly string[]): void => pieces.forEach(agenda.concerned);
    while (!agenda.isEmpty() && rounds < mostRounds && !signal.aborted) {
      for (const failure of await inSlices(agenda.work(now), { onStep, onLost, store, signal }))
        failed.set(failure.item, failure);
      rounds++;
    }
    if (!signal.aborted) documents.announce();
    return {
      at: 'applied',
      unchanged: looked - failed.size,
      applied: rounds > 1 ? [`${rounds - 1} rounds`] : [],
      cleared: [],
      failed: [...failed.values()],
    };
  }

  agenda.lookAtAll();
  const driven = drive(
    { name: 'kinds', periodMs, reconcile: () => Promise.resolve().then(reconcile) },
    { clock, log, signal },
  );

  return {
    fabricIntent: documents.fabric,
    operatorIntent: documents.operator,
    gateIntent: documents.gate,
    onFabricReport(report, applied) {
      if (reports.fabric({ report, applied })) driven.wake('report of the fabric');
    },
    onOperatorReport(identity, report, applied) {
      const cluster = documents.clusterOf(identity);
      if (cluster && reports.operator(identity, cluster.id, { report, applied }))
        driven.wake(`report of operator ${identity}`);
    },
    onGateReport(report, applied) {
      if (reports.gate({ report, applied })) driven.wake('report of the gate');
    },
    admitGate(token, admitted) {
      const refused = admitGate(options.store, token, admitted);
      if (!refused) driven.wake('the gate enrolled');
      return refused;
    },
    admitOperator(identity, token, admitted) {
      const verdict = admit(options.store, documents.clusterOf(identity), token, admitted);
      if (typeof verdict === 'string') driven.wake(`operator ${identity} enrolled`);
      return Promise.resolve(verdict);
    },
    wake: (reason) => driven.wake(reason),
    onIntentChange: documents.onChange,
    clusterOf: (identity) => documents.clusterOf(identity)?.id,
    passes: () => ({ kinds: driven.last() }),
  };
}

/** How long a pass keeps requests waiting at a time, in milliseconds. */
const sliceMs = 5;

/**
 * Runs a pass step by step, and leaves requests as much time in between. What a slice writes is one transaction: the disk is
 * waited for once, and who dies in it has lost nothing that the next start doesn't do again. `onLost` hears of the steps of a
 * slice that could not be kept.
 */
async function inSlices<T>(
  steps: Generator<string, readonly T[]>,
  {
    onStep,
    onLost,
    store,
    signal,
  }: {
    readonly onStep: () => void;
    readonly onLost: (steps: readonly string[]) => void;
    readonly store: Pick<Store, 'transaction'>;
    readonly signal: AbortSignal;
  },
): Promise<readonly T[]> {
  for (;;) {
    const done = slice(steps, onStep, onLost, store);
    if (done) return done;
    await setTimeout(sliceMs);
    if (signal.aborted) return [];
  }
}

function slice<T>(
  steps: Generator<string, readonly T[]>,
  onStep: () => void,
  onLost: (steps: readonly string[]) => void,
  store: Pick<Store, 'transaction'>,
): readonly T[] | undefined {
  const began = performance.now();
  const taken: string[] = [];
  try {
    return store.transaction(() => {
      for (;;) {
        const step = steps.next();
        if (step.done) return step.value;
        taken.push(step.value);
        onStep();
        if (performance.now() - began >= sliceMs) return undefined;
      }
    });
  } catch (error) {
    onLost(taken);
    throw error;
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
