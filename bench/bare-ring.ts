/**
 * The yardstick: three Cassandra JVMs on loopback addresses, with the very options, TLS, authentication and agents of a managed
 * ring, started together on preset tokens; no agent, no door, no tunnel.
 */
import { auth, Client, policies } from 'cassandra-driver';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, until } from '../src/lib/clock.ts';
import { createAuthority, createRequest, issueOnRequest } from '../src/lib/x509.ts';
import { ports } from '../src/network/ports.ts';
import { confFiles, findAgents } from '../src/node/cassandra/files.ts';
import { javaArguments, javaEnvironment } from '../src/node/cassandra/java.ts';
import { cassandraYaml } from '../src/node/cassandra/yaml.ts';
import { generateTokens } from '../src/operator/tokens.ts';

export interface BareTools {
  readonly javaHome: string;
  /** Folder of jars. */
  readonly jars: string;
  /** Folder above `cassandra/lib`. */
  readonly tools: string;
}

export interface BareRing {
  readonly addresses: readonly string[];
  readonly authority: string;
  /** Milliseconds from the first spawn until every node answered CQL and saw the others live. */
  readonly startedInMs: number;
  client(): Client;
  stop(): Promise<void>;
}

const identity = 'spiffe://sallyport/bench/node';
const days = { days: 30, now: Date.now() };

/**
 * `each`: every JVM has a session of its own, as a managed node has, and as a service does. `one`: they share the benchmark's.
 * Where the kernel shares out its time by sessions (sched_autogroup), that alone is 10 to 15 % of a loaded ring's throughput.
 */
export type Sessions = 'one' | 'each';

export async function startBareRing(
  tools: BareTools,
  heapMegabytes: number,
  sessions: Sessions = 'each',
): Promise<BareRing> {
  const folder = await mkdtemp(join(tmpdir(), 'bare-'));
  const addresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13'];
  const nodes = addresses.map((address, index) => ({
    name: `bare-${index + 1}`,
    address,
    rack: `rack${index + 1}`,
  }));
  const scratch = join(folder, 'tokens');
  await mkdir(scratch);
  const tokens = await generateTokens(
    {
      name: 'dc1',
      endpoint: { address: '127.0.0.1', port: 1 },
      clients: [],
      nodes,
      heapMegabytes,
      yamlFragment: null,
    },
    { javaHome: tools.javaHome, tools: tools.tools, scratch },
    AbortSignal.timeout(60_000),
  );
  const ring = await createAuthority('bench internode', days);
  const client = await createAuthority('bench client', days);
  const agents = await findAgents(tools.jars);
  const commands: { readonly args: readonly string[]; readonly log: string }[] = [];
  for (const { name, address, rack } of nodes) {
    const root = join(folder, name);
    const paths = {
      root,
      conf: join(root, 'conf'),
      certificates: join(root, 'tls'),
      data: join(root, 'data'),
      log: join(root, 'log'),
    };
    for (const path of Object.values(paths)) await mkdir(path, { recursive: true });
    const put = (file: string, content: string) =>
      writeFile(join(paths.certificates, file), content, { mode: 0o600 });
    for (const [file, authority] of [
      ['internode', ring],
      ['client', client],
    ] as const) {
      const { privateKey, request } = await createRequest(name);
      const certificate = await issueOnRequest(authority, request, {
        commonName: name,
        ...(file === 'internode' ? { uri: [identity] } : { ip: [address] }),
        use: ['server', 'client'],
        ...days,
      });
      await put(`${file}.pem`, privateKey + certificate);
      await put(`${file}-authority.pem`, authority.certificate);
    }
    const yaml = cassandraYaml({
      clusterName: 'bare',
      identity,
      address,
      seeds: addresses,
      tokens: tokens[name]!,
      authentication: 'PasswordAuthenticator',
      startNativeTransport: true,
      dataFolder: paths.data,
      certificatesFolder: paths.certificates,
      yamlFragment: null,
    });
    const files = confFiles({ dataCenter: 'dc1', rack } as never, yaml, paths as never, name, address);
    for (const [file, content] of Object.entries(files)) await writeFile(join(paths.conf, file), content);
    const args = javaArguments({
      heapMegabytes,
      confFolder: paths.conf,
      dataFolder: paths.data,
      logFolder: paths.log,
      jarsFolder: tools.jars,
      jammJar: agents.jamm,
      jolokiaJar: agents.jolokia,
      // What it costs to export metrics is ours.
      exporter: null,
      jmxPasswordFile: null,
      authReplicationFactor: 3,
      firstTogether: true,
    });
    // Three nodes share one loopback here: each Jolokia listens on its node's address. What they unpack goes with them.
    const own = (arg: string): string =>
      arg
        .replace('host=127.0.0.1', `host=${address}`)
        .replace('java.io.tmpdir=/tmp', `java.io.tmpdir=${paths.root}`);
    commands.push({
      args: args.map(own),
      log: join(paths.log, 'out.log'),
    });
  }

  const started = systemClock.now();
  const children: ChildProcess[] = [];
  for (const { args, log } of commands) {
    const out = await open(log, 'a');
    children.push(
      spawn(join(tools.javaHome, 'bin', 'java'), args, {
        detached: sessions === 'each',
        env: { ...process.env, ...javaEnvironment },
        stdio: ['ignore', out.fd, out.fd],
      }),
    );
    await out.close();
  }
  const connect = (contactPoints: readonly string[]): Client =>
    new Client({
      contactPoints: [...contactPoints],
      protocolOptions: { port: ports.cql },
      localDataCenter: 'dc1',
      authProvider: new auth.PlainTextAuthProvider('cassandra', 'cassandra'),
      sslOptions: { ca: [client.certificate], host: contactPoints[0], rejectUnauthorized: true } as never,
      policies: {
        loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
          new policies.loadBalancing.DCAwareRoundRobinPolicy('dc1'),
        ),
      },
    });
  const stop = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(
      addresses.map((address) =>
        until(
          `CQL on ${address}`,
          async () => {
            const one = connect([address]);
            try {
              await one.connect();
              const peers = await one.execute('SELECT peer FROM system.peers');
              return peers.rowLength === 2 ? true : undefined;
            } catch {
              return undefined;
            } finally {
              await one.shutdown();
            }
          },
          { timeoutMs: 180_000, everyMs: 200 },
        ),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    addresses,
    authority: client.certificate,
    startedInMs: systemClock.now() - started,
    client: () => connect(addresses),
    stop,
  };
}
