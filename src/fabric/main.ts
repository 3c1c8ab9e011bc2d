import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { FabricIntent, FabricReport } from '../exchange/intents/fabric.ts';
import { follow, type Following } from '../exchange/client.ts';
import type { Revised } from '../exchange/revision.ts';
import { until } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { RoleContext } from '../lib/role.ts';
import { createTurns } from '../lib/turns.ts';
import { namespacePath } from '../network/namespace-read.ts';
import { drive, type Driven } from '../reconcile/driver.ts';
import type { Status } from '../reconcile/reconciler.ts';
import { createCanary } from './canary.ts';
import { findLimits } from './limits.ts';
import { runInMachine } from './machine/enter.ts';
import { machineUser, prepareGround } from './machine/ground.ts';
import { createMachines } from './machine/machines.ts';
import { fabricPaths, ground, routerNamespace } from './names.ts';
import { performer } from './perform.ts';
import type { NetworkNumbers } from './plan.ts';
import { readProbeProgram, sendProbes, type ProbeGround } from './probe/probe.ts';
import { createFabricReconciler } from './reconcile.ts';
import { createStanding, type Standing, type StandingOptions } from './standing/reconcile.ts';
import { MachineRecords } from './state.ts';
import { readTools } from './tools.ts';
import { gatesOfWork } from './verify/gate.ts';
import { verify } from './verify/verify.ts';
import { openWorkLedger } from './work.ts';
import { WorldFabric } from './world.ts';

/** The role `fabric`: runs inside the namespaces that launch.sh made, below init.sh, until `signal` aborts. */
export async function runFabric(context: RoleContext): Promise<void> {
  const { clock, log, signal, env } = context;
  const home = demand(env, 'SALLYPORT_HOME');
  const program = demand(env, 'SALLYPORT_PROGRAM');
  if (!existsSync(ground)) {
    throw new UserError(
      'NotInFabric',
      `${ground} is not there: this is not the inside of a fabric.`,
      'Start it with `./sallyport up`.',
    );
  }
  const paths = fabricPaths(home);
  const tools = await readTools(paths.tools);
  const user = env['SALLYPORT_ROOT'] === '1' ? { uid: machineUser } : null;
  const shared = await prepareGround({ program, tools, paths, user });
  const records = await MachineRecords.open(paths.state);
  const limits = await findLimits(user);

  let intent = await readJson<Revised<FabricIntent>>(paths.intent);
  let readers = 0;
  let keeping: Promise<void> = Promise.resolve();
  // Both are needed before they can be made: a machine may end, a result may be ready.
  const ties: { driven?: Driven<Status>; following?: Following; standing?: Standing } = {};
  const wake = (reason: string): void => ties.driven?.wake(reason);

  const machines = createMachines({
    records,
    ground: shared,
    paths,
    user,
    clock,
    log,
    onEnd: () => wake('a machine ended'),
  });
  const canary = createCanary({ shared, user, clock, onEnd: () => wake('the canary ended') });
  const reconciler = createFabricReconciler({
    intent: () => intent,
    recording: () => readers > 0,
    machines,
    canary,
    paths,
    numbers: (await readJson<NetworkNumbers>(paths.numbers)) ?? {},
    onPutBack: (namespace, table) => {
      const network = intent?.document.networks.find(({ id }) => routerNamespace(id) === namespace);
      ties.standing?.putBack(network?.label ?? namespace, table);
    },
  });
  const probeProgram = await readProbeProgram();
  const probeGround = (document: FabricIntent): ProbeGround => ({
    intent: document,
    enter: (id, argv, input) => runInMachine(records.get(id), argv, { input, signal, timeoutMs: 10_000 }),
    start: (namespace, argv) =>
      spawn('nsenter', [`--net=${namespacePath(namespace)}`, ...argv], {
        stdio: ['pipe', 'pipe', 'ignore'],
        signal,
      }),
    program: probeProgram,
    clock,
    signal,
  });
  // A probe that arrives where it may looks like a try that got out: the two are never under way together.
  const inTurn = createTurns();
  const send: StandingOptions['send'] = (document, probes, shall) =>
    sendProbes(probeGround(document), probes, shall);
  const standing = (ties.standing = createStanding({
    intent: () => intent,
    applied: () => reconciler.applied(),
    running: (id) => machines.running().has(id),
    send: (...asked) => inTurn(() => send(...asked)),
    async mend() {
      const reason = 'a wall is not as it shall be';
      const before = ties.driven?.last()?.pass ?? 0;
      wake(reason);
      const mended = (): true | undefined => {
        const last = ties.driven?.last();
        return (last !== undefined && last.pass > before && last.reason.includes(reason)) || undefined;
      };
      await until('a pass of the fabric', mended, { timeoutMs: 60_000, everyMs: 50, clock, signal });
    },
    clock,
    log,
  }));
  const work = await openWorkLedger({
    folder: paths.work,
    run: performer({
      inTurn,
      asked: () => intent?.document,
      inPlace: () => reconciler.inPlace(),
      send,
      async recorded(work) {
        readers++;
        try {
          wake('the recorders are wanted');
          const standing = () => Promise.resolve(reconciler.recording() || undefined);
          await until('the recorders', standing, { timeoutMs: 60_000, everyMs: 20, clock, signal });
          return await work();
        } finally {
          readers--;
          wake('the recorders are read');
        }
      },
      prove: (document, { id, network, gates }) =>
        verify(new WorldFabric(document, (machine) => records.get(machine), signal, gates), {
          ...{ network, clock, log, signal },
          gatesNow: () => gatesOfWork(intent?.document, id),
        }),
    }),
    deliver: async ({ id, kind }, result) => {
      if (!ties.following) throw new Error('There is no contact with control.');
      await ties.following.stream(`${kind}/${id}`, JSON.stringify(result));
    },
    onChange: () => ties.following?.poke(),
    log,
  });

  const report = (): FabricReport => ({
    ...reconciler.report(),
    work: work.report(intent?.document),
    limits: [...limits],
    walls: standing.report(),
  });
  const driven = (ties.driven = drive(reconciler, {
    clock,
    log,
    signal,
    onPass: (status) => {
      logPass(log, status);
      ties.following?.poke();
      // A pass that failed as a whole puts nothing in place: what is asked for then is begun all the same, and says so.
      const document = status.at === 'applied' ? reconciler.inPlace() : intent?.document;
      if (document)
        void work
          .settle(document)
          .catch((error: unknown) => log.error('the ledger of work failed', { error }));
    },
  }));
  ties.following = follow<FabricIntent, FabricReport>({
    dial: { socketPath: paths.socket },
    report: () => ({ applied: reconciler.applied(), report: report() }),
    onIntent: (next) => {
      intent = next;
      wake('intent');
      // Written after the wake: what a crash loses here, control still has.
      keeping = keeping
        .then(() => writeJson(paths.intent, next))
        .catch((error: unknown) => log.error('the intent could not be kept', { error }));
    },
    clock,
    log,
    signal,
    seen: intent?.revision ?? null,
  });
  log.info('the fabric is up', { pid: process.pid, machines: records.all().length, limits });
  const tried = drive(standing, {
    clock,
    log,
    signal,
    onPass: (status) => {
      if (status.at !== 'applied' || status.unchanged + status.failed.length > 0) ties.following?.poke();
    },
  });
  await driven.stopped;
  await tried.stopped;
  await keeping;
}

/** A failure is said when it comes and when it changes, not with every pass. */
let said = '';
function logPass(log: Log, status: Status): void {
  if (status.at !== 'applied') {
    log.error('pass failed', { at: status.at, fault: status.error });
    return;
  }
  const { applied, cleared, failed } = status;
  if (applied.length > 0 || cleared.length > 0) log.info('pass', { applied, cleared });
  const now = JSON.stringify(failed);
  if (now !== said && failed.length > 0) log.warn('pass left something undone', { failed });
  said = now;
}

function demand(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || !value.startsWith('/')) {
    throw new UserError(
      'NotConfigured',
      `${name} has to be an absolute path.`,
      'Start the fabric with `./sallyport up`.',
    );
  }
  return value;
}
