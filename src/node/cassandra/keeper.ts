import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CassandraReport, NodeIntent } from '../../exchange/intents/node.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf, UserError, type Fault } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { addressOf, type Nic, type NodeIdentity } from '../identity.ts';
import type { NodePaths } from '../paths.ts';
import { cassandraUid } from '../user.ts';
import { createAuditLog } from './audit.ts';
import { dropUnwrittenSegments } from './commit-log.ts';
import { confine, javaExtras, rootLinks } from './confinement.ts';
import { certificateFiles, confFiles, findAgents, jmxPassword, jmxPasswordFile } from './files.ts';
import { makeFolders, writeFiles } from './files.ts';
import { exporterFile, exporterFiles } from './exporter.ts';
import { javaArguments } from './java.ts';
import type { Jolokia } from './jolokia.ts';
import { createProcess, type ProcessNotes } from './process.ts';
import { createHostReader, decommissionFailed, noRing, readRing, storageService } from './truth.ts';
import { cassandraYaml } from './yaml.ts';

/** Keeps one Cassandra process as it shall be. It is never restarted because the agent was. */
export interface CassandraKeeper {
  /** One pass: files, process, truth. `undefined`: nothing is intended yet; what runs goes on. */
  pass(intent: NodeIntent | undefined, signal: AbortSignal): Promise<CassandraReport>;
  report(): CassandraReport;
  /** True while a change of state is near and worth looking often. */
  busy(): boolean;
}

export interface CassandraKeeperOptions {
  readonly paths: NodePaths;
  readonly identity: NodeIdentity;
  readonly nic: Nic;
  readonly ownUid: boolean;
  readonly jolokia: Jolokia;
  readonly clock: Clock;
  readonly log: Log;
  readonly onExit: () => void;
}

/** bwrap says the pid on this one; 0 to 2 are taken. */
const infoFd = 3;
const drainMs = 60_000;
/** A bootstrap that failed is resumed so often: what is streamed already stays. */
const resumeMs = 30_000;
/** A process that can't be started is looked at often only around the moment it is tried again. */
const soonMs = 1_000;

export function createCassandraKeeper(options: CassandraKeeperOptions): CassandraKeeper {
  const { paths, identity, nic, jolokia, clock, log } = options;
  const folders = paths.cassandra;
  const owner = options.ownUid ? cassandraUid : null;
  const child = createProcess({
    notes: folders.notes,
    logFolder: folders.log,
    clock,
    log,
    onExit: options.onExit,
  });
  const readHost = createHostReader(paths.disk);
  const keepAuditLog = createAuditLog(jolokia, log);
  let written: NodeIntent | undefined;
  let intended: NodeIntent | undefined;
  let retryAt = 0;
  let resumedAt = 0;
  let report: CassandraReport = { ...absent, ...noHost };

  /** The files as intended; returns the names of the certificates that are new. */
  async function writeAll(intent: NodeIntent): Promise<readonly string[]> {
    if (intent === written) return [];
    await makeFolders(folders, owner);
    const yaml = cassandraYaml({
      ...intent.cassandra,
      address: addressOf(nic),
      dataFolder: folders.data,
      certificatesFolder: folders.certificates,
    });
    const conf = confFiles(intent.cassandra, yaml, folders, hostname(), addressOf(nic));
    await writeFiles(folders.conf, { ...conf, ...(await jmxPassword(folders.conf)) }, owner);
    const identityOfExporter = { key: identity.keys.client, chain: intent.certificates.client.certificate };
    await writeFiles(folders.conf, await exporterFiles(folders, identityOfExporter, owner), owner);
    const renewed = await writeFiles(folders.certificates, certificateFiles(intent, identity.keys), owner);
    written = intent;
    return renewed;
  }

  async function start(intent: NodeIntent, notes: ProcessNotes): Promise<void> {
    if (!paths.javaHome) throw new UserError('NoJava', 'JAVA_HOME is not set.', 'set it to a JVM 17');
    const { jamm, jolokia: jolokiaJar, exporter } = await findAgents(folders.jars);
    const { heapMegabytes, authReplicationFactor, startNativeTransport, tokens } = intent.cassandra;
    const java = javaArguments({
      heapMegabytes,
      confFolder: folders.conf,
      dataFolder: folders.data,
      logFolder: folders.log,
      jarsFolder: folders.jars,
      jammJar: jamm,
      jolokiaJar,
      exporter: {
        jar: exporter,
        address: addressOf(nic),
        configuration: join(folders.conf, exporterFile),
      },
      jmxPasswordFile: join(folders.conf, jmxPasswordFile),
      authReplicationFactor,
      firstTogether: tokens.length > 0 && !startNativeTransport,
    });
    const walls = confine({
      paths: folders,
      javaHome: paths.javaHome,
      hostname: hostname(),
      ownUid: options.ownUid,
      links: rootLinks(),
      javaExtras: javaExtras(),
      infoFd,
    });
    // Only after a death that was noted: then surely no Cassandra is about to write its head into one of them.
    const dropped = notes.deaths > 0 ? await dropUnwrittenSegments(join(folders.data, 'commitlog')) : [];
    if (dropped.length > 0)
      log.warn('segments of the commit log with nothing in them were removed', { dropped });
    await child.start(['bwrap', ...walls, `${paths.javaHome}/bin/java`, ...java], infoFd);
  }

  async function pass(intent: NodeIntent | undefined, signal: AbortSignal): Promise<CassandraReport> {
    intended = intent;
    let notes = await child.observe();
    let error: Fault | null = null;
    try {
      if (intent?.cassandra.process === 'stopped') await child.stop(drainMs, signal);
      if (intent?.cassandra.process === 'running') {
        const renewed = await writeAll(intent);
        if (notes.pid === null && clock.now() >= notes.notBefore) await start(intent, notes);
        else if (notes.pid !== null && renewed.length > 0) await reloadCertificates(jolokia, log);
      }
      await child.rotateOutput();
    } catch (reason) {
      error = faultOf(reason);
      if (error.message !== report.error?.message)
        log.error('Cassandra is not as it shall be', { error: reason });
    }
    notes = await child.observe();
    retryAt = notes.notBefore;
    const ring = notes.pid === null ? noRing : await readRing(jolokia, addressOf(nic));
    if (ring.mode === 'JOINING_FAILED') {
      error ??= bootstrapFailed;
      if (clock.now() - resumedAt >= resumeMs) {
        resumedAt = clock.now();
        log.warn('the bootstrap failed: it is resumed');
        await jolokia.exec(storageService, 'resumeBootstrap()').catch((reason: unknown) => {
          log.error('the bootstrap could not be resumed', { error: reason });
        });
      }
    }
    if (ring.mode === decommissionFailed && intent && staysIn(intent)) {
      log.warn('the node was on its way out, and shall stay: its Cassandra is started again');
      await child.stop(drainMs, signal);
    }
    const auditLog =
      intent?.cassandra.process === 'running'
        ? await keepAuditLog(intent.cassandra.auditLog === true, ring.auditLog)
        : ring.auditLog;
    report = {
      ...ring,
      auditLog,
      ...(await readHost()),
      process: processState({ ...notes, error: error ?? notes.error }, intent, ring.mode),
      error: error ?? (ring.mode === 'NORMAL' ? null : notes.error),
      starts: notes.starts,
    };
    return report;
  }

  return {
    pass,
    report: () => report,
    busy: () =>
      report.process === 'starting' ||
      gathering(report, intended) ||
      (report.process === 'failed' && Math.abs(clock.now() - retryAt) < soonMs),
  };
}

/** What people see: a process that lives but doesn't answer yet is starting, one that keeps dying has failed. */
export function processState(
  notes: ProcessNotes,
  intent: NodeIntent | undefined,
  mode: string | null,
): CassandraReport['process'] {
  if (notes.pid !== null) return mode === null || mode === 'STARTING' ? 'starting' : 'running';
  if (intent?.cassandra.process === 'stopped') return notes.starts > 0 ? 'stopped' : 'absent';
  if (intent === undefined && notes.starts === 0) return 'absent';
  return notes.error ? 'failed' : 'starting';
}

/** A node of a new ring that runs, and hasn't joined or doesn't see all others live yet: the operator waits for just that. */
export function gathering(
  report: Pick<CassandraReport, 'process' | 'mode' | 'live'>,
  intent: NodeIntent | undefined,
): boolean {
  if (report.process !== 'running' || intent?.door.state !== 'joining') return false;
  return report.mode !== 'NORMAL' || intent.door.peers.some((peer) => !report.live.includes(peer));
}

/** Nobody asks it to leave any more. */
export const staysIn = ({ cassandra, work }: NodeIntent): boolean =>
  cassandra.process === 'running' && !work.some(({ kind }) => kind === 'decommission');

async function reloadCertificates(jolokia: Jolokia, log: Log): Promise<void> {
  await jolokia.exec('org.apache.cassandra.net:type=MessagingService', 'reloadSslCertificates()');
  log.info('Cassandra reads its certificates again');
}

const bootstrapFailed: Fault = {
  code: 'BootstrapFailed',
  message:
    'Its data could not be streamed whole; the bootstrap is resumed. What went wrong is in system.log.',
};

const noHost = {
  memoryUsedKB: null,
  memoryTotalKB: null,
  memoryFreeKB: null,
  memoryBuffersAndCachedKB: null,
  diskUsedKB: null,
  diskFreeKB: null,
  cpuUsage: null,
} as const;

const absent = { ...noRing, process: 'absent', error: null, starts: 0 } as const;
