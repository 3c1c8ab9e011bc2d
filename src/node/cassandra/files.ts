import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeIntent } from '../../exchange/intents/node.ts';
import { UserError } from '../../lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../../lib/files.ts';
import type { NodeKeys } from '../identity.ts';
import type { CassandraPaths } from '../paths.ts';
import { cassandraUid } from '../user.ts';
import { auditLogFile, auditLogger } from './audit.ts';

/** Everything in a file that Cassandra reads, by path. Keys are among them: 0600, and of its user where there is one. */
export function certificateFiles(
  intent: Pick<NodeIntent, 'certificates'>,
  keys: NodeKeys,
): Readonly<Record<string, string>> {
  const { internode, client } = intent.certificates;
  return {
    'internode.pem': keys.internode + internode.certificate,
    'internode-authority.pem': internode.authority,
    'client.pem': keys.client + client.certificate,
    'client-authority.pem': client.authority,
  };
}

/** Who nodetool is to Cassandra's JMX, and where its password lies in the configuration folder: 0600, of its user. */
export const jmxRole = 'sallyport';
export const jmxPasswordFile = 'jmxremote.password';
/** A tool says what it has to say by itself. */
export const toolsLogFile = 'logback-tools.xml';
/** How many older files of each log of Cassandra's are kept. */
export const rotatedLogs = 4;

/** The password that lies there already, or a new one: it never leaves this node. */
export async function jmxPassword(conf: string): Promise<Readonly<Record<string, string>>> {
  const had = await readFileIfThere(join(conf, jmxPasswordFile));
  return { [jmxPasswordFile]: had ?? `${jmxRole} ${randomBytes(24).toString('base64url')}\n` };
}

/** What the confined process sees of /etc, and its log's configuration. */
export function confFiles(
  intent: NodeIntent['cassandra'],
  yaml: string,
  { log }: CassandraPaths,
  hostname: string,
  address: string,
): Readonly<Record<string, string>> {
  return {
    'cassandra.yaml': yaml,
    'cassandra-rackdc.properties': `dc=${intent.dataCenter}\nrack=${intent.rack}\nprefer_local=false\n`,
    'logback.xml': logback(log),
    [toolsLogFile]: '<configuration><root level="OFF"/></configuration>\n',
    passwd: `root:x:0:0::/:/bin/false\ncassandra:x:${cassandraUid}:${cassandraUid}::/:/bin/false\n`,
    group: `root:x:0:\ncassandra:x:${cassandraUid}:\n`,
    hosts: `127.0.0.1 localhost\n${address} ${hostname}\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  };
}

/**
 * Bounded: a log must not be what fills the disk, so its size is looked at each second, where logback itself would do so once a
 * minute. Not scanned again: the file never changes under a running process. The audit log's file is there, and empty, also while
 * none is written; a statement stays one line of it, or it could make up others.
 */
const logback = (folder: string): string => `<configuration scan="false">
${appender('FILE', `${folder}/system.log`, '%-5level [%thread] %date{ISO8601} %F:%L - %msg%n')}
${appender('AUDIT', `${folder}/${auditLogFile}`, "%date{ISO8601} %replace(%msg){'[\\r\\n]+', ' '}%n")}
  <root level="INFO"><appender-ref ref="FILE"/></root>
  <logger name="org.apache.cassandra" level="INFO"/>
  <logger name="${auditLogger}" level="INFO" additivity="false"><appender-ref ref="AUDIT"/></logger>
</configuration>
`;

const appender = (
  name: string,
  file: string,
  pattern: string,
): string => `  <appender name="${name}" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>${file}</file>
    <rollingPolicy class="ch.qos.logback.core.rolling.FixedWindowRollingPolicy">
      <fileNamePattern>${file}.%i</fileNamePattern>
      <minIndex>1</minIndex>
      <maxIndex>${rotatedLogs}</maxIndex>
    </rollingPolicy>
    <triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy">
      <maxFileSize>10MB</maxFileSize>
      <checkIncrement>1 second</checkIncrement>
    </triggeringPolicy>
    <encoder>
      <pattern>${pattern}</pattern>
    </encoder>
  </appender>`;

/** Writes what differs and returns the names; `owner` null: leave the files to whoever writes them. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  owner: number | null,
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    if ((await readFileIfThere(path)) === content) continue;
    await writeFileAtomic(path, content, 0o600);
    if (owner !== null) await chown(path, owner, owner);
    written.push(name);
  }
  return written;
}

export async function makeFolders(paths: CassandraPaths, owner: number | null): Promise<void> {
  for (const folder of [paths.root, paths.conf, paths.certificates, paths.data, paths.log]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (owner !== null) await chown(folder, owner, owner);
  }
}

/** The jars that are named by themselves on Java's command line. */
export async function findAgents(
  jars: string,
): Promise<{ readonly jamm: string; readonly jolokia: string; readonly exporter: string }> {
  const names = await readdir(jars).catch(() => [] as string[]);
  const find = (pattern: RegExp, what: string): string => {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name) return join(jars, name);
    throw new UserError(
      'MissingJar',
      `${jars} holds no ${what}.`,
      'let the set-up run again: ./sallyport up',
    );
  };
  return {
    jamm: find(/^jamm-.*\.jar$/, 'jamm jar'),
    jolokia: find(/^jolokia-agent-jvm-.*-javaagent\.jar$/, 'Jolokia agent jar'),
    exporter: find(/^jmx_prometheus_javaagent-.*\.jar$/, 'Prometheus JMX exporter jar'),
  };
}
