import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  mkdirSync,
  cpSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JoinFile, NodeIntent, NodeReport } from '../../src/exchange/intents/node.ts';
import { until } from '../../src/lib/clock.ts';
import { execStatus } from '../../src/lib/exec.ts';
import type { DoorPolicy } from '../../src/network/door.ts';
import { nodetoolJava } from '../../src/node/cassandra/java.ts';
import type { ProcessNotes } from '../../src/node/cassandra/process.ts';
import { dashboardMetrics } from '../harness/dashboard.ts';
import { findTools } from '../harness/tools.ts';
import { exportedMetrics } from '../../src/node/cassandra/metrics.ts';
import { cable, startMachine, type Machine } from './node-world.ts';

// One node for real: a machine of its own, a real Cassandra, a small operator with the real wire on the cable's other end.

const tools = findTools();
const skip = process.getuid?.() !== 0 ? 'needs root' : tools ? false : 'needs the set-up: ./sallyport up';
const root = fileURLToPath(new URL('../../', import.meta.url));
const identity = 'spiffe://sallyport/test/node';
const address = '10.0.2.5';
const operator = '10.0.2.10';
const peer = '10.0.2.6';

let folder: string;
let superior: Machine;
let node: Machine;
let intent: NodeIntent;

interface Up {
  readonly report: NodeReport;
  readonly current: boolean;
}

const read = <T>(machine: Machine, name: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(join(machine.disk, name), 'utf8')) as T;
  } catch {
    return undefined;
  }
};

function intend(change: (before: NodeIntent) => NodeIntent): void {
  intent = change(intent);
  writeFileSync(join(superior.disk, 'intent.json'), `${JSON.stringify(intent)}\n`);
}

/** Waits for a report of the current intent that is as `check` wants it. */
function reported(
  what: string,
  check: (report: NodeReport) => boolean,
  timeoutMs = 60_000,
): Promise<NodeReport> {
  return until(
    what,
    () => {
      const up = read<Up>(superior, 'report.json');
      return up?.current && check(up.report) ? up.report : undefined;
    },
    { timeoutMs, everyMs: 30 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)} Last: ${JSON.stringify(read<Up>(superior, 'report.json'))}`);
  });
}

const doorState = (): string | undefined => read<DoorPolicy>(node, 'door.json')?.state;

interface Said {
  readonly reached?: boolean;
  readonly rows?: readonly Record<string, unknown>[];
  readonly metrics?: string | null;
}

async function ask(question: unknown): Promise<Said> {
  const said = await superior.enter(
    ['/opt/tools/node', '/opt/sallyport/test/cluster/node-query.ts'],
    JSON.stringify(question),
  );
  assert.equal(said.exitCode, 0, said.stderr);
  return JSON.parse(said.stdout) as Said;
}
const reaches = async (from: string, port: number, to: string = address): Promise<boolean> =>
  (await ask({ tcp: { from, to, port } })).reached === true;

/** What is exported to whoever asks from an address: the node's own address, or its tunnel's from the operator's. */
async function scrape(from: string, host: string = address): Promise<string | null> {
  const { clientAuthority } = read<{ clientAuthority: string }>(superior, 'enrolled.json')!;
  return (await ask({ scrape: { host, from, name: 'dc1-1', authority: clientAuthority } })).metrics ?? null;
}
const overlay = { operator: 'fd12:3456:789a::1', node: 'fd12:3456:789a:1::1' };

/** The agent's pid in its machine. */
async function agentPid(): Promise<string> {
  const script =
    'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null | grep -q "^/opt/tools/node .*main.js node" && echo ${p#/proc/}; done; true';
  return (await node.enter(['sh', '-c', script])).stdout.trim();
}
const cassandraPid = (): number => read<ProcessNotes>(node, 'cassandra.json')?.pid ?? 0;

before(async () => {
  if (skip || !tools) return;
  folder = mkdtempSync(join(tmpdir(), 'sallyport-node-'));
  await execStatus(
    process.execPath,
    [
      join(root, 'node_modules/.bin/tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(folder, 'dist'),
    ],
    { timeoutMs: 120_000 },
  );
  const common = {
    [tools.node]: '/opt/tools/node',
    [tools.cassandra]: '/opt/tools/cassandra/lib',
    ...(tools.wireguard && { [tools.wireguard]: '/opt/tools/wireguard-go' }),
  };
  mkdirSync(join(folder, 'superior'));
  writeFileSync(
    join(folder, 'superior', 'superior.json'),
    JSON.stringify({ node: 'dc1-1', address, endpoint: operator, identity }),
  );
  const waitForCable = 'until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done';
  const configure = `ip addr add ${operator}/24 dev eth0; ip addr add ${peer}/24 dev eth0; ip link set eth0 mtu 1460 up`;
  superior = await startMachine({
    name: 'superior',
    folder,
    javaHome: tools.javaHome,
    binds: { ...common, [root]: '/opt/sallyport' },
    command: [
      'sh',
      '-c',
      `${waitForCable}; ${configure}; exec /opt/tools/node /opt/sallyport/test/cluster/node-superior.ts`,
    ],
  });
  mkdirSync(join(folder, 'dc1-1'));
  const nic = { device: 'eth0', address: `${address}/24`, gateway: operator, mtu: 1500 };
  writeFileSync(join(folder, 'dc1-1', 'nic.json'), JSON.stringify(nic));
  node = await startMachine({
    name: 'dc1-1',
    folder,
    javaHome: tools.javaHome,
    binds: {
      ...common,
      [join(folder, 'dist')]: '/opt/sallyport/dist',
      [join(root, 'node_modules')]: '/opt/sallyport/node_modules',
      [join(root, 'package.json')]: '/opt/sallyport/package.json',
    },
    command: [
      'sh',
      '-c',
      'while :; do /opt/tools/node --max-semi-space-size=1 --max-old-space-size=64 --jitless /opt/sallyport/dist/server/main.js node; sleep 0.2; done',
    ],
  });
  intent = {
    name: 'dc1-1',
    door: {
      state: 'joining',
      endpoint: { address: operator, port: 51820 },
      peers: [peer],
      clients: ['10.0.2.0/24'],
      metrics: [`${operator}/32`],
    },
    certificates: {
      internode: { certificate: '', authority: '' },
      client: { certificate: '', authority: '' },
    },
    cassandra: {
      process: 'running',
      clusterName: 'test',
      identity,
      dataCenter: 'dc1',
      rack: 'rack1',
      tokens: ['-100', '0', '100'],
      seeds: [address],
      authentication: 'PasswordAuthenticator',
      authReplicationFactor: 1,
      heapMegabytes: 256,
      yamlFragment: 'batch_size_warn_threshold: 6KiB\n',
      startNativeTransport: false,
    },
    work: [],
  };
});

after(async () => {
  await Promise.all([superior?.end(), node?.end()]);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test('the door is in force before there is an interface', { skip }, async () => {
  const rules = await until(
    'the door',
    async () => {
      const said = await node.enter(['nft', 'list', 'ruleset']);
      return said.stdout.includes('policy drop') ? said.stdout : undefined;
    },
    { timeoutMs: 10_000 },
  );
  assert.match(rules, /state born/);
  assert.match(rules, /hook output priority filter; policy drop;/);
  await cable(superior, node);
});

test('an operator that is not the one of the join file is not trusted', { skip }, async () => {
  await until('the join file', () => existsSync(join(superior.disk, 'join.json')) || undefined, {
    timeoutMs: 15_000,
  });
  const join_ = read<JoinFile>(superior, 'join.json')!;
  const wrong = { ...join_, operator: { ...join_.operator, authorityFingerprint: 'ab'.repeat(32) } };
  writeFileSync(join(node.disk, 'join.json'), JSON.stringify(wrong), { mode: 0o600 });
  // The state is on disk before it is in force; what counts is what the kernel has.
  const rules = await until(
    'the door to close',
    async () => {
      const { stdout } = await node.enter(['nft', 'list', 'ruleset']);
      return stdout.includes('state blocked') ? stdout : undefined;
    },
    { timeoutMs: 20_000 },
  );
  assert.doesNotMatch(rules, /51820/);
  assert.equal(read(superior, 'enrolled.json'), undefined);
});

test('the node enrols, once, and its one-time key is gone', { skip }, async () => {
  cpSync(join(superior.disk, 'join.json'), join(node.disk, 'join.json'));
  await until('the identity', () => existsSync(join(node.disk, 'identity.json')) || undefined, {
    timeoutMs: 20_000,
  });
  await until('the one-time key to go', () => !existsSync(join(node.disk, 'join.json')) || undefined, {
    timeoutMs: 5_000,
  });
  assert.equal(statSync(join(node.disk, 'identity.json')).mode & 0o777, 0o600);
  assert.equal(existsSync(join(node.disk, 'keys.json')), false);
});

test(
  'Cassandra runs, CQL opens on loopback only, and the default password is refused',
  { skip },
  async () => {
    intend((now) => now);
    const ring = await reported('the node to be NORMAL', ({ cassandra }) => cassandra.mode === 'NORMAL');
    assert.deepEqual([...ring.cassandra.tokens].sort(), ['-100', '0', '100']);
    assert.equal(ring.cassandra.nativeTransport, false);
    // The cable carries 1460 bytes, WireGuard needs 60 of them and rounds up to 16: the probe finds what fits.
    assert.equal(ring.tunnel.mtu, 1380);
    intend((now) => ({
      ...now,
      work: [
        { id: 'open', kind: 'start-native-transport' },
        {
          id: 'roles',
          kind: 'secure-roles',
          adminPasswordHash: null,
          serviceRole: 'sallyport',
          servicePassword: "it's 1 secret",
          authReplication: { dc1: 1 },
        },
        { id: 'check', kind: 'check-default-password-refused' },
      ],
    }));
    const { work } = await reported(
      'the work to be done',
      (report) => report.work['check']?.state === 'done',
    );
    assert.deepEqual(
      Object.values(work).map(({ state, error }) => [state, error]),
      Array(3).fill(['done', null]),
    );
    assert.equal(await reaches(operator, 9042), false, 'CQL is closed while joining');
    assert.equal(await reaches(operator, 7001), false, 'the ring is for peers');
    assert.equal(await reaches(peer, 7001), true);
    assert.equal(await reaches(operator, 9443), false, 'metrics are closed while joining');
    assert.equal(await reaches(overlay.operator, 9443, overlay.node), false, 'in the tunnel too');
    for (const name of ['intent.json', 'work.json', 'log', 'cassandra/log/system.log']) {
      const path = join(node.disk, name);
      if (existsSync(path) && statSync(path).isFile())
        assert.doesNotMatch(readFileSync(path, 'utf8'), /1 secret/, name);
    }
  },
);

test(
  'joined: CQL from the virtual network, and the effective configuration is the intended one',
  { skip },
  async () => {
    intend((now) => ({
      ...now,
      door: { ...now.door, state: 'joined' },
      cassandra: { ...now.cassandra, startNativeTransport: true },
    }));
    await reported('the door to be joined', ({ door }) => door.state === 'joined');
    const authority = read<{ clientAuthority: string }>(superior, 'enrolled.json')!.clientAuthority;
    const login = { address, authority, username: 'sallyport', password: "it's 1 secret" };
    const { rows } = await ask({ ...login, cql: 'SELECT name, value FROM system_views.settings' });
    const settings = Object.fromEntries(rows!.map(({ name, value }) => [name, value])) as Record<
      string,
      string
    >;
    const expected: Readonly<Record<string, RegExp>> = {
      disk_failure_policy: /^stop$/,
      commit_failure_policy: /^stop$/,
      authenticator: /PasswordAuthenticator/,
      authorizer: /CassandraAuthorizer/,
      endpoint_snitch: /GossipingPropertyFileSnitch/,
      'server_encryption_options.internode_encryption': /^all$/,
      'server_encryption_options.require_client_auth': /^(true|required)$/,
      'server_encryption_options.legacy_ssl_storage_port_enabled': /^false$/,
      'client_encryption_options.enabled': /^true$/,
      'client_encryption_options.optional': /^false$/,
      internode_authenticator: /MutualTlsInternodeAuthenticator/,
      storage_port: /^7001$/,
      user_defined_functions_enabled: /^false$/,
      auto_snapshot: /^true$/,
      batch_size_warn_threshold: /^6KiB$/,
      'audit_logging_options.enabled': /^false$/,
      'audit_logging_options.included_categories': /^AUTH,ERROR,DCL,DDL$/,
    };
    const key = (name: string): string | undefined => settings[name] ?? settings[name.replaceAll('.', '_')];
    for (const [name, pattern] of Object.entries(expected)) {
      assert.match(String(key(name)), pattern, `${name} is ${key(name)}`);
    }
    const replication = await ask({
      ...login,
      cql: "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'system_auth'",
    });
    assert.match(JSON.stringify(replication.rows), /NetworkTopologyStrategy/);
  },
);

test(
  'metrics are exported over TLS to who may ask, and each that the dashboard shows is among them',
  { skip },
  async (t) => {
    const near = await scrape(operator);
    assert.match(near ?? 'nobody answers', /^cassandra_client_auth_success_total [1-9]/m);
    assert.equal(await reaches(peer, 9443), false, 'a peer is no client');
    const series = near!.split('\n').filter((line) => /^\w/.test(line)).length;
    t.diagnostic(
      `${series} series, ${near!.length} bytes, ${/^jmx_scrape_duration_seconds (.*)$/m.exec(near!)?.[1]} s`,
    );
    const far = await scrape(overlay.operator, overlay.node);
    const namesIn = (text: string | null): readonly string[] =>
      [...new Set((text ?? '').split('\n').flatMap((line) => /^[a-z]\w*/.exec(line)?.[0] ?? []))].toSorted();
    const names = namesIn(near);
    assert.deepEqual(namesIn(far), names, 'the operator sees the same');
    const missing = (some: readonly string[]): readonly string[] =>
      some.filter((name) => !names.includes(name));
    assert.deepEqual(missing(exportedMetrics.filter(({ late }) => !late).map(({ name }) => name)), []);
    assert.deepEqual(missing(dashboardMetrics()), []);
    assert.ok(!near!.includes('keyspace="system"'), 'Cassandra’s own tables are left out');
    const { stdout } = await node.enter(['ss', '-Hltn', 'sport = :9443']);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[3])
        .toSorted(),
      ['10.0.2.5:9443', '[fd12:3456:789a:1::1]:9443'],
      'nothing listens on every address',
    );
  },
);

test('a blocked node gives nobody its metrics', { skip }, async () => {
  intend((now) => ({ ...now, door: { ...now.door, state: 'blocked' } }));
  await reported('the door to block', ({ door }) => door.state === 'blocked');
  assert.equal(await reaches(operator, 9443), false);
  assert.equal(await reaches(overlay.operator, 9443, overlay.node), false);
  intend((now) => ({ ...now, door: { ...now.door, state: 'joined' } }));
  await reported('the door to be joined', ({ door }) => door.state === 'joined');
  assert.notEqual(await scrape(overlay.operator, overlay.node), null);
});

test('Cassandra has no capability, its own PIDs, and sees none of the agent’s files', { skip }, async () => {
  const pid = cassandraPid();
  const status = (await node.enter(['cat', `/proc/${pid}/status`])).stdout;
  assert.match(status, /CapEff:\t0+\n/);
  assert.match(status, /CapPrm:\t0+\n/);
  assert.match(status, /NoNewPrivs:\t1/);
  assert.match(status, /NSpid:\t\d+\t1\n/);
  const seen = await node.enter(['ls', '-A', `/proc/${pid}/root/var/lib/sallyport`]);
  assert.equal(seen.stdout.trim(), 'cassandra');
  const map = (await node.enter(['cat', `/proc/${pid}/uid_map`])).stdout;
  assert.match(map, /^\s*999\s/);
});

test(
  'nodetool runs confined, once per id; what it may not is refused, and JMX lets nobody in without the password',
  { skip },
  async () => {
    const asked = [
      ...['status', 'info', 'ring', 'describecluster', 'netstats', 'tpstats', 'version', 'gossipinfo'],
      ...['compactionstats', 'statusbinary', 'statusgossip', 'statushandoff', 'gcstats', 'tablestats'],
    ];
    const commands = [...asked, 'drain'].map((name) => ({ id: `c-${name}`, arguments: [name] }));
    commands.push({ id: 'c-keyspace', arguments: ['status', '-r', 'system_auth'] });
    commands.push({ id: 'c-none', arguments: ['tablestats', 'no_such.table'] });
    intend((now) => ({ ...now, commands }));
    const report = await reported('the commands to end', ({ commands: said = {} }) =>
      commands.every(({ id }) => ['done', 'failed'].includes(said[id]?.state ?? '')),
    );
    const said = report.commands!;
    for (const name of asked) {
      assert.deepEqual([said[`c-${name}`]!.exitCode, said[`c-${name}`]!.error], [0, null], name);
      assert.notEqual(said[`c-${name}`]!.output, '', name);
    }
    assert.match(said['c-status']!.output, /^Datacenter: dc1\n/);
    assert.match(said['c-status']!.output, new RegExp(`^UN +${address.replaceAll('.', '\\.')} `, 'm'));
    assert.match(said['c-version']!.output, /^ReleaseVersion: 5\.0/);
    assert.match(said['c-keyspace']!.output, /100\.0%/);
    assert.equal(said['c-drain']!.error!.code, 'CommandRefused');
    assert.equal(said['c-none']!.state, 'done');
    assert.notEqual(said['c-none']!.exitCode, 0);
    assert.notEqual(said['c-none']!.errorOutput + said['c-none']!.output, '');
    intend((now) => ({ ...now, commands: [] }));
    await reported('them to be forgotten', ({ commands: left = {} }) => Object.keys(left).length === 0);

    const file = join(node.disk, 'cassandra/conf/jmxremote.password');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const password = readFileSync(file, 'utf8').trim().split(' ')[1]!;
    const ps = await node.enter(['cat', `/proc/${cassandraPid()}/cmdline`]);
    assert.ok(!ps.stdout.includes(password), 'no argument holds it');
    const java = nodetoolJava({ jarsFolder: '/opt/tools/cassandra/lib', logConfiguration: '/dev/null' });
    const without = await node.enter([`${tools!.javaHome}/bin/java`, ...java, 'status']);
    assert.notEqual(without.exitCode, 0);
    assert.match(without.stderr + without.stdout, /[Cc]redentials|[Aa]uthentication/);
  },
);

test('a decommission that Cassandra refuses is told in its words, and the node stays', { skip }, async () => {
  const before_ = intent.work;
  intend((now) => ({ ...now, work: [...now.work, { id: 'leave', kind: 'decommission' }] }));
  const report = await reported('the refusal', ({ work }) => work['leave']?.state === 'failed');
  assert.deepEqual(report.work['leave']!.error, {
    code: 'DecommissionRefused',
    message:
      'Cassandra does not let the node go: no other normal nodes in the ring; decommission would be pointless',
  });
  assert.equal(report.cassandra.mode, 'NORMAL');
  intend((now) => ({ ...now, work: before_ }));
});

test(
  'the audit log begins and ends without a restart, says who did what, a line each, and holds no password',
  { skip },
  async () => {
    const authority = read<{ clientAuthority: string }>(superior, 'enrolled.json')!.clientAuthority;
    const login = { address, authority, username: 'sallyport', password: "it's 1 secret" };
    const pid = cassandraPid();
    const said = (): string => readFileSync(join(node.disk, 'cassandra/log/audit.log'), 'utf8');
    const shall = async (auditLog: boolean): Promise<void> => {
      intend((now) => ({ ...now, cassandra: { ...now.cassandra, auditLog } }));
      await reported(`the audit log to be ${auditLog}`, ({ cassandra }) => cassandra.auditLog === auditLog);
    };
    assert.equal(said(), '', 'nobody asked for it');
    await shall(true);
    const forged = "SELECT 'a'\r\nuser:nobody|category:AUTH|operation:LOGIN\nFROM nowhere";
    const { rows: failed } = await ask({
      ...login,
      cql: [
        "CREATE KEYSPACE audited WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
        'CREATE TABLE audited.t\n(k int PRIMARY KEY, v text)',
        "INSERT INTO audited.t (k, v) VALUES (1, 'a customer’s row')",
        'SELECT * FROM audited.t',
        "CREATE ROLE app WITH PASSWORD = 'secret 1' AND LOGIN = true",
        "ALTER ROLE cassandra WITH PASSWORD = 'secret 2'",
        "CREATE USER other WITH PASSWORD 'secret 3'",
        "ALTER ROLE nobody WITH PASSWORD = 'secret 4'",
        "CREATE ROLE late WITH PASSWORD = 'secret 5",
        "CREATE ROLE hashed WITH HASHED PASSWORD = '$2a$04$secretsecretsecretsecretsecretsecretsecretsecretsecre'",
        "create role early with login = true and\npassword = 'secret 6'",
        'GRANT SELECT ON KEYSPACE audited TO app',
        forged,
      ],
    });
    assert.deepEqual(
      failed!.map(({ cql }) => String(cql).slice(0, 17)),
      ['ALTER ROLE nobody', 'CREATE ROLE late ', forged.slice(0, 17)],
    );
    await ask({ ...login, prepare: true, cql: ["ALTER ROLE cassandra WITH PASSWORD = 'secret 7'"] });
    await superior.enter(
      ['/opt/tools/node', '/opt/sallyport/test/cluster/node-query.ts'],
      JSON.stringify({ ...login, password: 'secret 8', cql: 'SELECT * FROM audited.t' }),
    );
    const log = said();
    for (const pattern of [
      /user:sallyport\|.*\|source:\/10\.0\.2\.10\|.*type:LOGIN_SUCCESS\|category:AUTH/,
      /type:LOGIN_ERROR\|category:AUTH/,
      /type:CREATE_KEYSPACE\|category:DDL\|ks:audited\|.*operation:CREATE KEYSPACE audited/,
      /operation:CREATE TABLE audited\.t \(k int/,
      /type:GRANT\|category:DCL\|.*operation:GRANT SELECT/,
      /type:ALTER_ROLE\|category:DCL\|.*operation:ALTER ROLE cassandra WITH PASSWORD/,
      /type:REQUEST_FAILURE\|category:ERROR\|operation:SELECT 'a' user:nobody/,
    ])
      assert.match(log, pattern);
    for (const line of log.trimEnd().split('\n'))
      assert.match(line, /^\d{4}-\d\d-\d\d[ T][\d:,]+ user:(sallyport|null)\|/);
    assert.doesNotMatch(log, /secret/);
    assert.doesNotMatch(log, /INSERT|SELECT \*/, 'what is read and written is the customer’s own');
    assert.doesNotMatch(readFileSync(join(node.disk, 'cassandra/log/system.log'), 'utf8'), /GRANT SELECT/);

    await shall(false);
    const before_ = said();
    await ask({ ...login, cql: ['DROP ROLE other'] });
    assert.equal(said(), before_);
    await shall(true);
    await ask({ ...login, cql: ['DROP ROLE app'] });
    assert.match(said(), /DROP ROLE app/);
    assert.equal(cassandraPid(), pid);
  },
);

test(
  'its logs go where it is told, by the one port and no other way, and not while it is blocked',
  { skip },
  async () => {
    const account = 'logs.blob.core.windows.net';
    const { authority } = read<{ authority: string }>(superior, 'gate.json')!;
    const rules = async (): Promise<string> => (await node.enter(['nft', 'list', 'ruleset'])).stdout;
    assert.doesNotMatch(await rules(), /dport 443/);
    const logs = { account, container: 'cassandra', sas: 'sv=1&sp=ac&sig=wrong-secret' };
    intend((now) => ({ ...now, services: { port: 443, authority, accounts: [account], logs } }));
    await reported('the refusal to be told', ({ services }) =>
      /refuses the signature/.test(services?.logs?.waitingFor ?? ''),
    );
    intend((now) => ({
      ...now,
      services: { ...now.services!, logs: { ...logs, sas: 'sv=1&sp=ac&sig=right-secret' } },
    }));
    const log = readFileSync(join(node.disk, 'cassandra/log/system.log'), 'utf8');
    const audit = readFileSync(join(node.disk, 'cassandra/log/audit.log'), 'utf8');
    assert.notEqual(audit, '');
    await reported('the logs to arrive', ({ services }) => services?.logs?.waitingFor === null);
    await until(
      'the whole log',
      () => {
        const stored = read<{ system: string; audit: string }>(superior, 'stored.json');
        return (stored?.system.startsWith(log) && stored.audit.startsWith(audit)) || undefined;
      },
      { timeoutMs: 30_000 },
    );
    assert.match(
      await rules(),
      /tcp dport 443 oifname "wg0" ip6 saddr fd12:3456:789a:1::1 ip6 daddr fd12:3456:789a::1/,
    );
    for (const name of ['intent.json', 'logs.json', 'door.json', '../dc1-1.log'])
      assert.doesNotMatch(readFileSync(join(node.disk, name), 'utf8'), /(right|wrong)-secret/, name);
    assert.doesNotMatch(JSON.stringify(read(superior, 'report.json')), /-secret/);
    intend((now) => ({ ...now, door: { ...now.door, state: 'blocked' } }));
    await reported('the node to be blocked', ({ door, services }) => door.state === 'blocked' && !services);
    assert.doesNotMatch(await rules(), /dport 443/);
    intend((now) => {
      const { services: _, ...rest } = now;
      return { ...rest, door: { ...now.door, state: 'joined' } };
    });
    await reported('it to be let in again', ({ door }) => door.state === 'joined');
    assert.doesNotMatch(await rules(), /dport 443/);
  },
);

test('rules that were flushed come back, and it is said', { skip }, async () => {
  await node.enter(['nft', 'flush', 'ruleset']);
  await reported('the rules to be put back', ({ door }) => door.error?.code === 'DoorRulesRestored', 10_000);
  assert.match((await node.enter(['nft', 'list', 'ruleset'])).stdout, /state joined/);
});

test('a tunnel whose process was killed is made again', { skip }, async () => {
  if (read<Up>(superior, 'report.json')?.report.tunnel.implementation === 'kernel') return;
  const tunnel = async (): Promise<string> => (await node.enter(['pidof', 'wireguard-go'])).stdout.trim();
  const before_ = await tunnel();
  await node.enter(['kill', '-9', before_]);
  await until('another tunnel', async () => !['', before_].includes(await tunnel()) || undefined, {
    timeoutMs: 15_000,
  });
  rmSync(join(superior.disk, 'report.json'));
  await reported('contact again', () => true, 20_000);
  assert.match((await node.enter(['nft', 'list', 'ruleset'])).stdout, /egress device "wg0"/);
});

test(
  'an agent that was killed adopts Cassandra; a Cassandra that was killed comes back',
  { skip },
  async () => {
    const before_ = cassandraPid();
    const agent = await agentPid();
    await node.enter(['kill', '-9', agent]);
    await until('another agent', async () => ![agent, ''].includes(await agentPid()) || undefined, {
      timeoutMs: 10_000,
    });
    const started = read<Up>(superior, 'report.json')!.report.agent.startedAt;
    const adopted = await reported(
      'the new agent’s report',
      (report) => report.agent.startedAt >= started && report.cassandra.mode === 'NORMAL',
    );
    assert.equal(cassandraPid(), before_);
    assert.equal(adopted.cassandra.starts, 1);
    assert.equal(adopted.work['roles']?.state, 'done');

    await node.enter(['kill', '-9', String(before_)]);
    const again = await reported(
      'Cassandra to come back',
      ({ cassandra }) => cassandra.starts === 2 && cassandra.mode === 'NORMAL',
    );
    assert.notEqual(cassandraPid(), before_);
    assert.equal(again.door.state, 'joined');
    await reported('CQL by itself', ({ cassandra }) => cassandra.nativeTransport);
    assert.equal(again.cassandra.auditLog, true, 'turned on while it ran, and kept');
  },
);

test('with its operator gone the node starts again as it was last told', { skip }, async () => {
  process.kill(superior.pid, 'SIGSTOP');
  const stopped = (await execStatus('pgrep', ['-P', String(superior.pid)])).stdout.trim().split('\n');
  for (const pid of stopped) process.kill(Number(pid), 'SIGSTOP');
  const agent = await agentPid();
  const cassandra = cassandraPid();
  await node.enter(['kill', '-9', agent]);
  await until('another agent', async () => ![agent, ''].includes(await agentPid()) || undefined, {
    timeoutMs: 10_000,
  });
  assert.match((await node.enter(['nft', 'list', 'ruleset'])).stdout, /state joined/);
  await node.enter(['kill', '-9', String(cassandra)]);
  await until('Cassandra to come back', () => ![0, cassandra].includes(cassandraPid()) || undefined, {
    timeoutMs: 30_000,
  });
  for (const pid of [...stopped, superior.pid]) process.kill(Number(pid), 'SIGCONT');
  await reported('contact again', ({ cassandra: is }) => is.starts === 3 && is.mode === 'NORMAL');
});

test('retired is for good: nothing in, nothing out, Cassandra stopped', { skip }, async () => {
  intend((now) => ({ ...now, door: { ...now.door, state: 'retired' } }));
  await until('the door to retire', () => doorState() === 'retired' || undefined, { timeoutMs: 20_000 });
  await until('Cassandra to stop', () => cassandraPid() === 0 || undefined, { timeoutMs: 30_000 });
  assert.doesNotMatch((await node.enter(['nft', 'list', 'ruleset'])).stdout, /51820|7001|9042|9443/);
});
