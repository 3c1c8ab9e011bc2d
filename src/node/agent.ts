import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { follow } from '../exchange/client.ts';
import type { NodeIntent, NodeReport } from '../exchange/intents/node.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import { writeJson } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { drive } from '../reconcile/driver.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { auditLogFile } from './cassandra/audit.ts';
import { rotatedLogs } from './cassandra/files.ts';
import { createJolokia } from './cassandra/jolokia.ts';
import { createCassandraKeeper } from './cassandra/keeper.ts';
import { createKeyspaceWatch } from './cassandra/keyspaces.ts';
import type { DoorPolicy } from '../network/door.ts';
import type { DoorKeeper } from './door.ts';
import { addressOf, type Nic, type NodeIdentity } from './identity.ts';
import { openIntentStore } from './intent-store.ts';
import { openShipper } from './logs/ship.ts';
import { createLogShipping } from './logs/shipping.ts';
import type { StorePlace } from './logs/store.ts';
import { echoProbe, findMtu, mtuCandidates } from './mtu.ts';
import type { NodePaths } from './paths.ts';
import { bare, enrolledPolicy } from './policy.ts';
import { lastingTunnel, type Tunnel } from './tunnel.ts';
import { workHandlers } from './work/handlers.ts';
import { confinedNodetool } from './commands/nodetool.ts';
import { openResults } from './commands/results.ts';
import { createCommandRunner } from './commands/runner.ts';
import { openLedger } from './work/ledger.ts';
import { createWorkRunner } from './work/runner.ts';
import { createMetricsRelay } from './metrics-relay.ts';
import { exportsMetrics } from '../network/door.ts';

/** An agent that has its identity: follows the operator and keeps the node as intended. */
export interface AgentOptions extends RoleContext {
  readonly paths: NodePaths;
  readonly nic: Nic;
  readonly deniedUid: number | null;
  readonly ownUid: boolean;
  readonly door: DoorKeeper;
  readonly tunnel: Tunnel;
  readonly identity: NodeIdentity;
  readonly startedAt: string;
}

/** Milliseconds between passes: idle, and while something is about to change. */
const idleMs = 5_000;
const busyMs = 300;
const tunnelMs = 3_000;

export async function runAgent(options: AgentOptions): Promise<void> {
  const { paths, nic, door, tunnel, clock, log, signal } = options;
  let identity = options.identity;
  const intents = await openIntentStore(paths.intent);
  const ledger = await openLedger(paths.work);
  const version = await ownVersion();
  let applied: string | null = null;
  let tunnelFault: Fault | null = null;
  let sent = '';

  const jolokia = createJolokia();
  const wake = (reason: string): void => driven.wake(reason);
  const keeper = createCassandraKeeper({
    ...options,
    jolokia,
    onExit: () => wake('Cassandra ended'),
  });
  const keyspaces = createKeyspaceWatch({ jolokia, clock, log, onChange: () => wake('keyspaces') });
  const runner = createWorkRunner({
    ledger,
    log,
    signal,
    handlers: workHandlers({ jolokia, address: addressOf(nic), intent: intents.current, clock }),
    onChange: () => wake('work'),
  });

  const commands = createCommandRunner({
    ...{ log, signal },
    results: await openResults(paths.commands),
    nodetool: confinedNodetool(options),
    onChange: () => wake('command'),
  });

  const shipping = createLogShipping({
    ...{ clock, log },
    shipper: await openShipper({
      ...{ log, path: paths.logs, now: () => clock.now() },
      folder: () => [identity.cluster, intents.current()?.cassandra.dataCenter, identity.node].join('/'),
      // As many rotated ones as whoever writes them keeps.
      logs: [
        ...['system.log', auditLogFile].map((name) => ({
          ...{ name, path: join(paths.cassandra.log, name), kept: rotatedLogs },
        })),
        { name: 'node.log', path: paths.ownLog, kept: 1 },
      ],
    }),
    place: () => logPlace(intents.current(), door.status().policy.state, bare(identity.operator.address)),
    onChange: () => wake('logs'),
  });
  const relay = createMetricsRelay({ target: addressOf(nic), log });
  signal.addEventListener('abort', () => relay.keep(null));
  const keepRelay = (): void => {
    const { policy } = door.status();
    relay.keep(exportsMetrics(policy) ? (policy.tunnel?.address ?? null) : null);
  };

  const report = (): NodeReport => {
    const { policy, error, limits } = door.status();
    const named = keyspaces.now();
    const logs = shipping.report();
    return {
      name: identity.node,
      agent: { version, startedAt: options.startedAt },
      door: {
        state: policy.state,
        endpoint: policy.endpoint?.address ?? null,
        peers: [...policy.peers],
        error: error ?? tunnelFault,
        limits: [...limits],
      },
      tunnel: tunnel.status(),
      cassandra: keeper.report(),
      work: runner.results(intents.current()?.work ?? []),
      commands: commands.reports(intents.current()?.commands ?? []),
      ...(named && { keyspaces: named }),
      ...(logs && { services: { logs } }),
    };
  };

  const endpoint = () => intents.current()?.door.endpoint ?? identity.endpoint;

  let ensured = { at: 0, intent: '' };
  async function keepTunnel(): Promise<void> {
    const wanted = lastingTunnel(identity, endpoint());
    const text = JSON.stringify(wanted);
    if (text === ensured.intent && clock.now() - ensured.at < tunnelMs) return;
    try {
      await tunnel.ensure(wanted);
      // A device that is new gets its hook.
      await door.keep(door.status().policy);
      ensured = { at: clock.now(), intent: text };
      tunnelFault = null;
    } catch (error) {
      const fault = faultOf(error);
      if (fault.message !== tunnelFault?.message) log.error('the tunnel is not as it shall be', { error });
      tunnelFault = fault;
    }
  }

  async function probeMtu(): Promise<void> {
    const found = await findMtu(echoProbe(bare(identity.operator.address)));
    if (found === undefined) log.warn('no probe of the tunnel came back: the smallest MTU is taken');
    identity = { ...identity, mtu: found ?? mtuCandidates[mtuCandidates.length - 1]! };
    await writeJson(paths.identity, identity, 0o600);
    log.info('tunnel MTU', { mtu: identity.mtu });
  }

  /** In order: the door first, so that nothing starts before its policy stands. */
  const node: Reconciler<void> = {
    name: 'node',
    get periodMs() {
      return keeper.busy() || runner.busy() ? busyMs : idleMs;
    },
    async reconcile() {
      const heard = intents.heard();
      const intent = intents.current();
      await door.keep(enrolledPolicy(identity, intent, options));
      if (door.status().policy.state === 'retired') {
        keepRelay();
        await retire(intent);
      } else {
        await keepTunnel();
        keepRelay();
        if (identity.mtu === null && tunnel.status().handshakeAgeSeconds !== null) await probeMtu();
        const { mode } = await keeper.pass(intent, signal);
        keyspaces.look(mode);
        if (intent) runner.offer(intent.work);
        // What an earlier life was asked is known only once the operator has spoken in this one.
        if (intent && heard !== null) commands.offer(intent.commands ?? []);
      }
      applied = heard;
      const now = JSON.stringify(withoutFigures(report()));
      if (now + applied !== sent) following.poke();
      sent = now + applied;
    },
  };

  async function retire(intent: NodeIntent | undefined): Promise<void> {
    const stopped = intent && { ...intent, cassandra: { ...intent.cassandra, process: 'stopped' as const } };
    await keeper.pass(stopped, signal);
    await tunnel.remove();
  }

  await door.keep(enrolledPolicy(identity, intents.current(), options));
  if (door.status().policy.state !== 'retired') {
    await keepTunnel();
    if (
      identity.mtu === null &&
      (await tunnel.handshake(lastingTunnel(identity, endpoint()), 15_000, signal))
    ) {
      await probeMtu();
    }
  }

  const driven = drive(node, { clock, log, signal });
  const shipped = drive(shipping.reconciler, { clock, log, signal });
  const { exchange, keys } = identity;
  const following = follow<NodeIntent, NodeReport>({
    dial: {
      host: bare(identity.operator.address),
      port: exchange.port,
      tls: { key: keys.exchange, cert: exchange.certificate, ca: exchange.authority, servername: 'operator' },
    },
    report: () => ({ applied, report: report() }),
    onIntent: (intent) => {
      intents.take(intent).then(
        () => {
          wake('intent');
          shipped.wake('intent');
        },
        (error: unknown) => log.error('the intent could not be kept', { error }),
      );
    },
    clock,
    log,
    signal,
  });
  await Promise.all([driven.stopped, shipped.stopped]);
}

/** Only by a door that is open to it: a blocked node sends nothing. */
function logPlace(
  intent: NodeIntent | undefined,
  state: DoorPolicy['state'],
  address: string,
): StorePlace | undefined {
  const { services } = intent ?? {};
  if (!services?.logs || (state !== 'joining' && state !== 'joined')) return undefined;
  return { address, port: services.port, authority: services.authority, ...services.logs };
}

/** What changes by itself all the time is no news: it goes with the next beat. */
function withoutFigures(report: NodeReport): unknown {
  const { process, error, mode, nativeTransport, live, unreachable, hostId, starts, auditLog } =
    report.cassandra;
  const cassandra = { process, error, mode, nativeTransport, live, unreachable, hostId, starts, auditLog };
  const { implementation, mtu } = report.tunnel;
  const logs = report.services?.logs?.waitingFor;
  return { ...report, tunnel: { implementation, mtu }, cassandra, services: { logs } };
}

async function ownVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
