import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { NodeIntent } from '../../exchange/intents/node.ts';
import { createLog } from '../../lib/log.ts';
import { nodePaths } from '../paths.ts';
import { createAuditLog } from './audit.ts';
import { confine } from './confinement.ts';
import { javaArguments } from './java.ts';
import { gathering, processState, staysIn } from './keeper.ts';
import { backOffMs, wordsOf, type ProcessNotes } from './process.ts';
import { modeOf, parseMemory } from './truth.ts';
import { cassandraYaml, type CassandraSettings } from './yaml.ts';

const settings: CassandraSettings = {
  clusterName: 'it: "was"',
  identity: 'spiffe://sallyport/c/node',
  address: '10.0.2.5',
  seeds: ['10.0.2.5', '10.0.2.6'],
  tokens: ['-1', '2'],
  authentication: 'PasswordAuthenticator',
  startNativeTransport: false,
  dataFolder: '/d',
  certificatesFolder: '/c',
  yamlFragment: null,
};
const yamlOf = (change: Partial<CassandraSettings> = {}): Record<string, never> =>
  parse(cassandraYaml({ ...settings, ...change })) as Record<string, never>;

test('every key that safety rests on is named', () => {
  const yaml = yamlOf();
  assert.equal(yaml['disk_failure_policy'], 'stop');
  assert.equal(yaml['commit_failure_policy'], 'stop');
  assert.equal(yaml['storage_port'], 7001);
  assert.equal(yaml['cluster_name'], 'it: "was"');
  const { internode_encryption, require_client_auth, optional } = yaml['server_encryption_options']!;
  assert.deepEqual([internode_encryption, require_client_auth, optional], ['all', true, false]);
  const { enabled, optional: clear } = yaml['client_encryption_options']!;
  assert.deepEqual([enabled, clear], [true, false]);
  assert.match(
    JSON.stringify(yaml['internode_authenticator']),
    /SpiffeCertificateValidator.*spiffe:\/\/sallyport\/c\/node/,
  );
});

test('preset tokens don’t bootstrap; a node without them does', () => {
  assert.deepEqual(
    [yamlOf()['initial_token'], yamlOf()['num_tokens'], yamlOf()['auto_bootstrap']],
    ['-1,2', 2, false],
  );
  const alone = yamlOf({ tokens: [] });
  assert.deepEqual(
    [alone['initial_token'], alone['num_tokens'], alone['auto_bootstrap']],
    [undefined, 16, true],
  );
});

test('without authentication nobody is authorised either', () => {
  const open = yamlOf({ authentication: 'AllowAllAuthenticator' });
  assert.deepEqual(open['authorizer'], { class_name: 'AllowAllAuthorizer' });
});

test('a fragment wins key by key, and one that can’t be read is named', () => {
  const yaml = yamlOf({
    yamlFragment: 'tombstone_warn_threshold: 7\nclient_encryption_options:\n  require_client_auth: true\n',
  });
  assert.equal(yaml['tombstone_warn_threshold'], 7);
  assert.deepEqual(
    [
      yaml['client_encryption_options']!['require_client_auth'],
      yaml['client_encryption_options']!['enabled'],
    ],
    [true, true],
  );
  assert.equal(yamlOf({ yamlFragment: '' })['storage_port'], 7001);
  assert.throws(() => yamlOf({ yamlFragment: 'a: [' }), /can't be read/);
  assert.throws(() => yamlOf({ yamlFragment: '- a' }), /no mapping/);
});

test('the audit log is off unless it is asked for; what it records is the same, however it is turned on', async () => {
  const options = (auditLog?: boolean) => yamlOf({ auditLog })['audit_logging_options']!;
  const { enabled, logger, included_categories, excluded_keyspaces } = options(true);
  assert.deepEqual([options()['enabled'], options(false)['enabled'], enabled], [false, false, true]);
  assert.deepEqual(logger, [{ class_name: 'FileAuditLogger' }]);
  const asked: string[] = [];
  const jolokia = {
    exec: async (_: string, operation: string, args: readonly unknown[] = []) =>
      void asked.push([operation, ...args].join(' ')),
  };
  const said: string[] = [];
  const log = createLog({}, { level: 'warn', write: (line) => void said.push(line) });
  const keep = createAuditLog(jolokia, log);
  assert.deepEqual(
    [await keep(true, null), await keep(true, true), await keep(false, false), asked.length],
    [null, true, false, 0],
  );
  assert.deepEqual([await keep(true, false), await keep(false, true)], [true, false]);
  assert.match(asked[0]!, new RegExp(`^enableAuditLog.* FileAuditLogger +${String(excluded_keyspaces)} `));
  assert.ok(asked[0]!.includes(` ${String(included_categories)} `));
  assert.equal(asked[1], 'disableAuditLog()');
  const down = createAuditLog({ exec: () => Promise.reject(new Error('no answer')) }, log);
  assert.deepEqual([await down(true, false), await down(true, false)], [false, false]);
  assert.equal(said.length, 1, 'it is tried again, and said once');
});

test('no argument of the JVM is a secret, and running out of memory ends it', () => {
  const java = javaArguments({
    heapMegabytes: 256,
    confFolder: '/conf',
    dataFolder: '/data',
    logFolder: '/log',
    jarsFolder: '/jars',
    jammJar: '/jars/jamm.jar',
    jolokiaJar: '/jars/jolokia.jar',
    exporter: { jar: '/jars/exporter.jar', address: '10.0.2.5', configuration: '/conf/metrics.yaml' },
    jmxPasswordFile: '/conf/jmxremote.password',
    authReplicationFactor: 3,
    firstTogether: true,
  });
  assert.ok(java.includes('-XX:+ExitOnOutOfMemoryError'));
  assert.ok(
    java.some((argument) => argument.startsWith('-javaagent:/jars/jolokia.jar=port=8778,host=127.0.0.1')),
  );
  assert.ok(java.includes('-javaagent:/jars/exporter.jar=10.0.2.5:9443:/conf/metrics.yaml'));
  const named = java.filter((argument) => /password|secret/i.test(argument));
  // Where it lies is no secret.
  assert.deepEqual(named, ['-Dcom.sun.management.jmxremote.password.file=/conf/jmxremote.password']);
});

test('a confined process has a PID namespace of its own, no capability, and none of the agent’s disk', () => {
  const { cassandra } = nodePaths({});
  const base = {
    paths: cassandra,
    javaHome: '/jvm',
    hostname: 'n',
    links: { bin: 'usr/bin' },
    javaExtras: [],
    infoFd: 3,
  };
  for (const ownUid of [true, false]) {
    const walls = confine({ ...base, ownUid });
    assert.ok(walls.includes('--unshare-pid') && walls.includes('--as-pid-1'));
    assert.equal(walls[walls.indexOf('--cap-drop') + 1], 'ALL');
    const bound = walls.filter((_, index) => walls[index - 1]?.endsWith('bind'));
    assert.ok(bound.includes(cassandra.data) && !bound.includes('/var/lib/sallyport'));
    assert.ok(walls.includes(ownUid ? 'setpriv' : '--map-user=999'));
  }
});

test('what people see of the process', () => {
  const notes: ProcessNotes = {
    pid: null,
    startTime: null,
    boot: '',
    starts: 0,
    deaths: 0,
    notBefore: 0,
    error: null,
  };
  const running = { cassandra: { process: 'running' } } as NodeIntent;
  const stopped = { cassandra: { process: 'stopped' } } as NodeIntent;
  const error = { code: 'CassandraDied', message: '' };
  assert.equal(processState(notes, undefined, null), 'absent');
  assert.equal(processState(notes, running, null), 'starting');
  assert.equal(processState({ ...notes, pid: 7 }, running, null), 'starting');
  assert.equal(processState({ ...notes, pid: 7 }, running, 'NORMAL'), 'running');
  assert.equal(processState({ ...notes, error }, running, null), 'failed');
  assert.equal(processState({ ...notes, starts: 1 }, stopped, null), 'stopped');
});

test('a new ring is looked at often until each node sees all others live', () => {
  const intent = (state: string) => ({ door: { state, peers: ['10.0.2.5', '10.0.2.6'] } }) as NodeIntent;
  const seen = (...live: string[]) => ({ process: 'running' as const, mode: 'NORMAL', live });
  assert.equal(gathering(seen('10.0.2.4', '10.0.2.5'), intent('joining')), true);
  assert.equal(gathering(seen('10.0.2.4', '10.0.2.5', '10.0.2.6'), intent('joining')), false);
  const joining = { ...seen('10.0.2.4', '10.0.2.5', '10.0.2.6'), mode: 'JOINING' };
  assert.equal(gathering(joining, intent('joining')), true);
  assert.equal(gathering(seen('10.0.2.4'), intent('joined')), false);
  assert.equal(gathering(seen(), undefined), false);
});

test('a process that keeps dying is started less and less often', () => {
  assert.deepEqual([0, 1, 2, 3, 20].map(backOffMs), [0, 1_000, 2_000, 4_000, 60_000]);
});

test('the same death again is the same message: no time and no thread is in it', () => {
  const line = (time: string, thread: string): string =>
    `ERROR [MemtableFlushWriter:${thread}] 2026-11-24 ${time} DefaultFSErrorHandler.java:129 - Exiting forcefully due to file system exception`;
  const words = 'Its last words: ERROR Exiting forcefully due to file system exception';
  assert.equal(wordsOf([line('07:07:59,327', '1')], []), words);
  assert.equal(
    wordsOf([line('07:07:59,327', '1'), 'INFO x', line('07:08:05,073', '2')], ['no matter']),
    words,
  );
  assert.equal(wordsOf([], ['Error: no such option', '']), 'Its last words: Error: no such option |');
  assert.equal(wordsOf([], ['']), 'It said nothing.');
});

test('a decommission that was refused has changed nothing; one that failed on its way out is told', () => {
  assert.equal(modeOf('DECOMMISSION_FAILED', false), 'NORMAL');
  assert.equal(modeOf('DECOMMISSION_FAILED', true), 'DECOMMISSION_FAILED');
  assert.equal(modeOf('LEAVING', true), 'LEAVING');
  assert.equal(modeOf(null, false), null);
  const told = (process: string, ...kinds: readonly string[]) =>
    ({ cassandra: { process }, work: kinds.map((kind) => ({ id: kind, kind })) }) as NodeIntent;
  assert.equal(staysIn(told('running', 'decommission')), false);
  assert.equal(staysIn(told('running', 'cleanup')), true);
  assert.equal(staysIn(told('stopped')), false);
});

test('memory is read as the kernel says it', () => {
  const text = 'MemTotal: 1000 kB\nMemFree: 400 kB\nBuffers: 50 kB\nCached: 100 kB\nSReclaimable: 50 kB\n';
  assert.deepEqual(parseMemory(text), {
    memoryUsedKB: 400,
    memoryTotalKB: 1000,
    memoryFreeKB: 400,
    memoryBuffersAndCachedKB: 200,
  });
  assert.equal(parseMemory('').memoryTotalKB, null);
});
