import { ports } from '../../network/ports.ts';

/** What a Cassandra JVM is started with; a bench's bare ring takes the same. */
export interface JavaSettings {
  readonly heapMegabytes: number;
  readonly confFolder: string;
  readonly dataFolder: string;
  readonly logFolder: string;
  /** The jars' folder, and in it the two agents. */
  readonly jarsFolder: string;
  readonly jammJar: string;
  /** Null: no Jolokia. */
  readonly jolokiaJar: string | null;
  /** Who exports metrics, where, and by which configuration. Null: nobody does. */
  readonly exporter: {
    readonly jar: string;
    readonly address: string;
    readonly configuration: string;
  } | null;
  /** Who may ask over JMX: `role password` lines in a file of Cassandra's user. Null: no JMX port. */
  readonly jmxPasswordFile: string | null;
  readonly authReplicationFactor: number;
  /** The first start of a new data centre: everybody starts together on preset tokens. */
  readonly firstTogether: boolean;
}

/** What goes with them: as many of malloc's arenas as Cassandra's own start script sets. */
export const javaEnvironment: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '4' };

/** Below this a heap is the embedded default's: serial collection and C1 start fast and stay small. */
const smallHeapMegabytes = 2_048;

/** The arguments after `java`. None of them is secret: arguments are public. */
export function javaArguments(settings: JavaSettings): readonly string[] {
  const { heapMegabytes, confFolder, dataFolder, logFolder, jarsFolder } = settings;
  const small = heapMegabytes < smallHeapMegabytes;
  // More than one thread: an operation that takes its time (a decommission) must not hide the truth meanwhile.
  const jolokia = `port=${ports.jolokia},host=127.0.0.1,discoveryEnabled=false,executor=fixed,threadNr=3`;
  return [
    `-Xms${heapMegabytes}m`,
    `-Xmx${heapMegabytes}m`,
    '-Xss512k',
    ...(small
      ? ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
      : [
          '-XX:+UseG1GC',
          '-XX:+ParallelRefProcEnabled',
          '-XX:MaxTenuringThreshold=1',
          '-XX:MaxGCPauseMillis=300',
        ]),
    // A database that goes on after it ran out of memory is worse than one that starts again.
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:+PerfDisableSharedMem',
    '-XX:+UseThreadPriorities',
    '-XX:-UsePerfData',
    '-Djava.net.preferIPv4Stack=true',
    '-Djava.security.egd=file:/dev/urandom',
    `-Djava.io.tmpdir=/tmp`,
    `-Duser.home=${dataFolder}`,
    `-XX:ErrorFile=${logFolder}/hs_err.log`,
    `-javaagent:${settings.jammJar}`,
    ...(settings.jolokiaJar === null ? [] : [`-javaagent:${settings.jolokiaJar}=${jolokia}`]),
    ...exporterArguments(settings.exporter),
    ...java17,
    // nodetool's way in: on loopback only, and not without the password.
    ...(settings.jmxPasswordFile === null
      ? []
      : [
          `-Dcassandra.jmx.local.port=${ports.jmx}`,
          '-Dcom.sun.management.jmxremote.authenticate=true',
          `-Dcom.sun.management.jmxremote.password.file=${settings.jmxPasswordFile}`,
        ]),
    `-Dcassandra.config=file://${confFolder}/cassandra.yaml`,
    `-Dcassandra-rackdc.properties=file://${confFolder}/cassandra-rackdc.properties`,
    `-Dlogback.configurationFile=file://${confFolder}/logback.xml`,
    `-Dcassandra.logdir=${logFolder}`,
    `-Dcassandra.storagedir=${dataFolder}`,
    `-Dcassandra.triggers_dir=${dataFolder}/triggers`,
    `-Dcassandra.system_auth.default_rf=${settings.authReplicationFactor}`,
    `-Dcassandra.system_distributed.default_rf=${Math.min(3, settings.authReplicationFactor)}`,
    `-Dcassandra.system_traces.default_rf=${Math.min(3, settings.authReplicationFactor)}`,
    '-Dcassandra.superuser_setup_delay_ms=0',
    ...(settings.firstTogether
      ? ['-Dcassandra.skip_wait_for_gossip_to_settle=0', '-Dcassandra.ring_delay_ms=5000']
      : []),
    ...(small && !settings.firstTogether
      ? ['-Dcassandra.gossip_settle_min_wait_ms=1000', '-Dcassandra.gossip_settle_interval_ms=500']
      : []),
    '-cp',
    `${confFolder}:${jarsFolder}/*`,
    'org.apache.cassandra.service.CassandraDaemon',
  ];
}

/** One who connects and then says nothing keeps a thread from the others for so long; Jolokia's server keeps to it too. */
const slowRequestSeconds = 10;

const exporterArguments = (exporter: JavaSettings['exporter']): readonly string[] =>
  exporter === null
    ? []
    : [
        `-javaagent:${exporter.jar}=${exporter.address}:${ports.metrics}:${exporter.configuration}`,
        `-Dsun.net.httpserver.maxReqTime=${slowRequestSeconds}`,
      ];

/** The arguments of `java` for nodetool, up to and without its own; it looks for its node on loopback. */
export const nodetoolJava = (settings: {
  readonly jarsFolder: string;
  readonly logConfiguration: string;
}): readonly string[] => [
  ...['-Xmx64m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
  ...['-Djava.net.preferIPv4Stack=true', '-Duser.home=/tmp', '-Djava.io.tmpdir=/tmp'],
  ...java17,
  `-Dlogback.configurationFile=file://${settings.logConfiguration}`,
  '-Dcassandra.storagedir=/tmp',
  ...['-cp', `${settings.jarsFolder}/*`, 'org.apache.cassandra.tools.NodeTool'],
  ...['-h', '127.0.0.1', '-p', String(ports.jmx)],
];

const open = (kind: 'exports' | 'opens', packages: readonly string[]): readonly string[] =>
  packages.flatMap((name) => [`--add-${kind}`, `${name}=ALL-UNNAMED`]);

/** What Cassandra 5.0 needs of Java 17's modules, and netty of its buffers. */
const java17: readonly string[] = [
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dio.netty.allocator.useCacheForAllThreads=true',
  '-Dio.netty.allocator.maxOrder=11',
  ...open('exports', [
    'java.base/jdk.internal.misc',
    // The check of JMX's password.
    'java.management/com.sun.jmx.remote.security',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.sql/java.sql',
    'java.base/java.lang.ref',
    'jdk.unsupported/sun.misc',
    'jdk.compiler/com.sun.tools.javac.file',
    'jdk.attach/sun.tools.attach',
  ]),
  ...open('opens', [
    'java.base/java.lang.module',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.util.jar',
    'jdk.management/com.sun.management.internal',
    'java.base/sun.nio.ch',
    'java.base/java.io',
    'java.base/java.lang.reflect',
    'jdk.compiler/com.sun.tools.javac',
    'java.base/java.lang',
    'java.base/java.util',
    'java.base/java.nio',
  ]),
];
