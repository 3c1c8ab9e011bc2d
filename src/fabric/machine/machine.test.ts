import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { machineCommand, type MachineGround } from './command.ts';
import { nicFile, seedFile } from './disk.ts';
import { mountOptions } from './ground.ts';

const ground: MachineGround = {
  dist: '/g/code/1',
  program: '/g/program',
  node: '/g/node',
  wireguard: null,
  jars: '/g/jars',
  azurite: '/g/azurite',
  javaHome: '/g/java',
  javaPath: '/usr/lib/jvm/17',
  javaConfiguration: ['/etc/java-17-openjdk'],
  etc: '/g/etc/m',
  disk: '/g/machines/m',
  doors: null,
  usr: '/g/usr',
  rootLinks: { bin: 'usr/bin', lib64: null },
  localtime: false,
};
const writable = (command: readonly string[]): readonly string[] =>
  command.flatMap((word, index) => (word === '--bind' || word === '--dev-bind' ? [command[index + 2]!] : []));

test('a machine has its own of every namespace, nothing of the environment, and one writable folder', () => {
  const command = machineCommand({ kind: 'node', hostname: 'n' }, ground, null);
  for (const space of ['user', 'net', 'pid', 'ipc', 'uts']) assert.ok(command.includes(`--unshare-${space}`));
  assert.ok(command.includes('--clearenv'));
  assert.deepEqual(command.slice(command.indexOf('--seccomp'), command.indexOf('--seccomp') + 2), [
    '--seccomp',
    '4',
  ]);
  assert.deepEqual(writable(command), ['/var/lib/sallyport']);
  assert.equal(command[0], 'bwrap');
  assert.deepEqual(command.slice(-4), ['--', '/bin/sh', '/opt/machine.sh', 'node']);
});

test('where root starts it, a machine belongs to somebody else', () => {
  const command = machineCommand({ kind: 'node', hostname: 'n' }, ground, { uid: 64_088 });
  assert.deepEqual(command.slice(0, 5), ['setpriv', '--reuid', '64088', '--regid', '64088']);
});

test('an application machine has no role, no program and no tools', () => {
  const command = machineCommand({ kind: 'application', hostname: 'a' }, ground, null).join(' ');
  assert.doesNotMatch(command, /\/opt\/sallyport|\/opt\/tools\/node|control/);
});

test("only control's door sees control's sockets, and only to read", () => {
  const command = machineCommand(
    { kind: 'control-door', hostname: 'c' },
    { ...ground, doors: '/g/doors' },
    null,
  );
  assert.deepEqual(command.slice(command.indexOf('/g/doors') - 1, command.indexOf('/g/doors') + 2), [
    '--ro-bind',
    '/g/doors',
    '/run/control',
  ]);
});

test('Azurite is there for the storage machine, and for no other', () => {
  const bound = (kind: 'storage' | 'gate', azurite: string | null) =>
    machineCommand({ kind, hostname: 'm' }, { ...ground, azurite }, null).includes('/opt/tools/azurite');
  assert.equal(bound('storage', '/g/azurite'), true);
  assert.equal(bound('storage', null), false);
  assert.equal(bound('gate', '/g/azurite'), false);
});

test('a seed is put in once, closed to others, and never through a link', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'sallyport-disk-'));
  try {
    assert.equal(await seedFile(disk, 'join.json', 'one', null), true);
    assert.equal(await seedFile(disk, 'join.json', 'two', null), false);
    assert.equal(await readFile(join(disk, 'join.json'), 'utf8'), 'one');
    assert.equal((await stat(join(disk, 'join.json'))).mode & 0o777, 0o600);
    await symlink(join(disk, 'elsewhere'), join(disk, 'trap'));
    assert.equal(await seedFile(disk, 'trap', 'x', null), false);
    await assert.rejects(readFile(join(disk, 'elsewhere')), /ENOENT/);
    await assert.rejects(seedFile(disk, '../out', 'x', null), /has to be a plain file name/);
  } finally {
    await rm(disk, { recursive: true });
  }
});

test('a machine is told its address with the length of its subnet', () => {
  const machine = {
    id: 'm',
    kind: 'node',
    hostname: 'm',
    network: 'a',
    subnet: 's',
    address: '10.0.2.133',
    allow: null,
    seed: {},
  } as const;
  const network = {
    id: 'a',
    label: 'a',
    prefixes: ['10.0.0.0/16'],
    subnets: [{ name: 's', prefix: '10.0.2.128/25' }],
    internet: false,
  };
  assert.deepEqual(JSON.parse(nicFile(machine, network)), {
    device: 'eth0',
    address: '10.0.2.133/25',
    gateway: '10.0.2.129',
    mtu: 1500,
  });
});

test('reads what the host forbids on a mount, of the last one there', () => {
  const info =
    '21 1 8:1 / / rw,relatime - ext4 x rw\n22 21 8:1 /a /b rw,relatime - ext4 x rw\n23 22 8:2 /a /b rw,nosuid,nodev - ext4 x rw\n';
  assert.deepEqual(mountOptions(info, '/b'), ['rw', 'nosuid', 'nodev']);
  assert.deepEqual(mountOptions(info, '/c'), []);
});
