/** The role `operator`: one cluster's, in a machine of its own. Puts the parts together; each part says what it does. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { follow, type Following } from '../exchange/client.ts';
import { linkToControl, readJoinFile } from '../exchange/control-link.ts';
import { OperatorIntent, type OperatorReport } from '../exchange/intents/operator.ts';
import type { Revised } from '../exchange/revision.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { fingerprint } from '../lib/x509.ts';
import { overlayOf } from '../network/operator-door.ts';
import { ports } from '../network/ports.ts';
import { generateWireguardKeys } from '../network/wireguard-keys.ts';
import { drive, type Driven } from '../reconcile/driver.ts';
import { openAuthorities } from './authorities.ts';
import { createCluster, type ClusterStatus } from './cluster.ts';
import { createDoorKeeper } from './door.ts';
import { createEnrolment } from './enrolment.ts';
import { createListeners } from './listeners.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createRefusals } from './refusals.ts';
import { createRelay } from './relay.ts';
import { headline } from './report.ts';
import { openBook, paths } from './state.ts';
import { createTokenMaker } from './token-maker.ts';
import { createTunnel } from './tunnel.ts';

const tunnelDevice = 'wg0';
const prometheus = '/usr/bin/prometheus';
/** What WireGuard over IPv6 adds to a packet; over IPv4 it is 20 less. */
const tunnelOverhead = 80;

export async function runOperator({ clock, log, signal, env }: RoleContext): Promise<void> {
  const disk = env['SALLYPORT_DISK'] ?? '/var/lib/sallyport';
  const tools = env['SALLYPORT_TOOLS'] ?? '/opt/tools';
  const runFolder = env['SALLYPORT_RUN'] ?? '/run/sallyport';
  const at = paths(disk);
  await mkdir(join(disk, 'operator'), { recursive: true, mode: 0o700 });
  await mkdir(runFolder, { recursive: true, mode: 0o700 });

  const joined = await readJoinFile(at.join);
  const nic = (await readJson<{ device: string; mtu: number }>(join(disk, 'nic.json'))) ?? {
    device: 'eth0',
    mtu: 1500,
  };
  let intent = await readJson<Revised<OperatorIntent>>(at.intent);
  let incoming: Revised<OperatorIntent> | undefined;
  const controlPorts = [joined.control.port, joined.control.enrolmentPort ?? ports.controlEnrolment];
  const control = { address: joined.control.address, ports: [...new Set(controlPorts)] };
  // First of all, before anything listens or dials.
  const door = createDoorKeeper({ device: nic.device, tunnel: tunnelDevice, control }, clock);
  await door.ensure(intent && overlayOf(intent.document.cluster.ulaPrefix), intent?.document.gate);

  const book = await openBook(at.state, generateWireguardKeys);
  const authorities = await openAuthorities(at.authorities, joined.cluster, clock.now());
  const { dial } = await linkToControl({
    ...{ join: joined, joinPath: at.join, credentialsPath: at.control },
    enrolmentPort: ports.controlEnrolment,
    ...{ clock, log, signal },
  });

  let driven: Driven<ClusterStatus> | undefined;
  const wake = (reason: string): void => driven?.wake(reason);
  const refusals = createRefusals({ clock, log, onChange: () => wake('refusal') });
  const tunnel = createTunnel({
    ...{ device: tunnelDevice, privateKey: book.read().wireguard.privateKey, tools, runFolder, clock, log },
    mtu: nic.mtu - tunnelOverhead,
  });
  const enrolment = createEnrolment({
    ...{ book, authorities, refusals, clock, log },
    cluster: () => intent?.document.cluster,
    applyPeers: () => cluster.applyPeers(),
    onGranted: (node) => wake(`${node} enrolled`),
  });
  const listeners = createListeners({
    ...{ authorities, clock },
    enrolment: { enrolment, refusals, log },
    exchange: {
      admitted: (node) => cluster.admitted(node),
      intentFor: (node) => cluster.intentFor(node),
      onReport: (node, report, applied) => cluster.onReport(node, report, applied),
      log,
    },
  });
  const relay = createRelay({ nodeAt: (source) => cluster.nodeAt(source), clock, log });
  const tokens = createTokenMaker({
    ...{ book, log, signal },
    tools: { javaHome: env['JAVA_HOME'] ?? '/usr', tools, scratch: at.scratch },
    onMade: () => wake('tokens'),
  });
  const metrics = createMetrics({
    ...{ folder: at.metrics, program: prometheus, authority: authorities.client.certificate, clock, log },
    shall: () => cluster.metricsShall(),
    onChange: () => wake('metrics'),
  });
  const cluster = createCluster({
    ...{ book, authorities, door, tunnel, listeners, relay, tokens, refusals, metrics, wake, clock, log },
    authorityFingerprint: await fingerprint(authorities.exchange.certificate),
    intent: () => intent,
    takeIntent,
    makeKeys: generateWireguardKeys,
  });

  /** On disk first: with control gone, or after a restart, it is what holds. */
  async function takeIntent(): Promise<void> {
    const next = incoming;
    if (!next || next === intent) return;
    await writeJson(at.intent, next);
    intent = next;
  }

  let latest: ClusterStatus | undefined;
  let following: Following | undefined;
  let told = '';
  const beside = metrics.reconcilers.map((each) => drive(each, { clock, log, signal }));
  await new Promise<void>((resolve, reject) => {
    driven = drive(cluster.reconciler, {
      ...{ clock, log, signal },
      onPass(status) {
        latest = status;
        // Followed only once there is something to report: a report speaks of a pass that has ended.
        following ??= followControl();
        const now = headline(status.report) + status.applied;
        if (now !== told) following.poke();
        told = now;
      },
    });
    driven.stopped.then(resolve, reject);
  });
  await Promise.all(beside.map(({ stopped }) => stopped));
  await metrics.end();
  listeners.close();
  await relay.ensure(undefined);

  function followControl(): Following {
    return follow<OperatorIntent, OperatorReport>({
      ...{ dial, clock, log, signal, seen: intent?.revision ?? null },
      report: () => ({ applied: latest!.applied, report: latest!.report }),
      onIntent(next) {
        if (!Value.Check(OperatorIntent, next.document)) {
          const [flaw] = Value.Errors(OperatorIntent, next.document);
          log.error('control sent an intent that is malformed', {
            flaw: `${flaw?.instancePath} ${flaw?.message}`,
          });
          return;
        }
        incoming = next;
        wake('intent');
      },
    });
  }
}
