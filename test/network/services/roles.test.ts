/** The roles of services with their real programs, each in a network of its own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import type { ServiceHealth, ServiceKind, ServiceSeed } from '../../../src/exchange/intents/service.ts';
import { execStatus } from '../../../src/lib/exec.ts';
import { createAuthority, issue } from '../../../src/lib/x509.ts';
import { demandAzurite, realHome } from '../../harness/tools.ts';

const inside = fileURLToPath(new URL('inside.ts', import.meta.url));
const address = '172.31.4.4';
/** The shell stays: a process that is the first of its namespace ignores the signals that it has no answer to. */
const network = `
ip link set lo up && ip link add eth0 type veth peer name far && ip addr add ${address}/24 dev eth0 && ip link set eth0 up && "$@"
exit $?`;

const newKey = (): string => randomBytes(64).toString('base64');

interface Said {
  readonly rights?: Readonly<Record<string, readonly (string | number)[]>>;
  readonly health: ServiceHealth;
  readonly ended?: string;
  readonly anew?: string;
  readonly seeds?: readonly string[];
  readonly written?: string;
  readonly read?: string;
  readonly late?: string;
  readonly flags?: string;
  readonly admin?: string;
  readonly quit?: string;
}

async function makeDisk(t: TestContext, kind: ServiceKind, accounts: readonly string[]): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), 'sallyport-service-'));
  t.after(() => rm(disk, { recursive: true, force: true }));
  const options = { days: 1, now: Date.now() };
  const authority = await createAuthority('services', options);
  const names =
    kind === 'storage' ? accounts.map((name) => `${name}.blob.core.windows.net`) : ['metrics.test'];
  const profile = { commonName: kind, dns: names, use: ['server' as const], ...options };
  const seed: ServiceSeed = {
    ...{ version: 1, number: 1, names, accounts: [...accounts], gate: '172.31.3.4' },
    ...(kind === 'storage' && {
      keys: Object.fromEntries(accounts.map((name) => [name, newKey()])),
      containers: { logs: 'cassandra' },
    }),
    ...{ authority: authority.certificate, ...(await issue(authority, profile)) },
  };
  await writeFile(join(disk, 'nic.json'), JSON.stringify({ device: 'eth0', address: `${address}/24` }));
  await writeFile(join(disk, `${kind}-1.json`), JSON.stringify(seed), { mode: 0o600 });
  await writeFile(join(disk, 'next.json'), JSON.stringify({ ...seed, number: 2 }), { mode: 0o600 });
  return disk;
}

async function run(kind: ServiceKind, disk: string, tools = join(realHome(), 'tools')): Promise<Said> {
  const program = ['sh', '-c', network, 'sh', process.execPath, inside, kind, disk, address];
  const spaces = ['--user', '--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const env = { ...process.env, SALLYPORT_TOOLS: tools };
  const ran = await execStatus('unshare', [...spaces, ...program], { timeoutMs: 60_000, env });
  assert.equal(ran.exitCode, 0, ran.stderr);
  // The program speaks on the same stream, and before.
  return JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Said;
}

test('storage serves its accounts, makes a container, knows a right from another, and takes a newer seed', async (t) => {
  demandAzurite();
  const disk = await makeDisk(t, 'storage', ['logs', 'evil']);
  // As a machine that was made before control made keys.
  await mkdir(join(disk, 'storage/keys'), { recursive: true });
  await writeFile(join(disk, 'storage/keys/logs'), `${newKey()}\n`, { mode: 0o600 });
  const { rights, ...said } = await run('storage', disk);
  assert.deepEqual(said, {
    ...{ health: { answers: true, error: null }, anew: 'returned', seeds: ['storage-2.json'] },
  });
  assert.deepEqual(rights, {
    good: [201, 201, 403],
    'of the machine’s older key': [201, 201, 403],
    ended: ['AuthorizationFailure', 'AuthorizationFailure', 403],
    'of another key': ['AuthorizationFailure', 'AuthorizationFailure', 403],
    'of another container': ['AuthorizationFailure', 'AuthorizationFailure', 403],
    'to make containers': ['AuthorizationResourceTypeMismatch', 'AuthorizationResourceTypeMismatch', 403],
    'for a container that is not there': ['ContainerNotFound', 'ContainerNotFound', 403],
  });
  assert.equal((await stat(join(disk, 'storage/key.pem'))).mode & 0o777, 0o600);
});

test('what is missing on the disk or the host is named, with what mends it', async (t) => {
  const disk = await makeDisk(t, 'storage', ['logs']);
  const without = await run('storage', disk, '/nowhere');
  assert.equal(without.health.answers, false);
  assert.match(without.health.error!, /Azurite is not installed here.*sallyport services install/);
  assert.match(without.ended!, /Azurite is not installed here/);
});

test('monitoring takes what is written by remote write, says it again, and no more', async (t) => {
  const said = await run('monitor', await makeDisk(t, 'monitor', []));
  assert.deepEqual(said.health, { answers: true, error: null });
  assert.match(said.written!, /^20[04]/);
  assert.match(said.late!, /^20[04]/);
  assert.match(said.read!, /"node":"node-1".*"42"/);
  assert.match(said.flags!, /"storage\.tsdb\.retention\.size":"1Gi?B"/);
  assert.match(said.flags!, /"storage\.tsdb\.retention\.time":"15d"/);
  assert.doesNotMatch(said.admin!, /^2/, 'nobody administers it from afar');
  assert.doesNotMatch(said.quit!, /^2/);
  assert.deepEqual(said.seeds, ['monitor-2.json']);
});
