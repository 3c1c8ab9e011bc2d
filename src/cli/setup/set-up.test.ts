import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findHome } from '../home.ts';
import { SetupError } from '../errors.ts';
import { differences, parseSums } from './cassandra.ts';
import { checkDisk, forbiddenNamespaces, tooLittle } from './checks.ts';
import { findJavaHome } from './java.ts';
import { gatePackage, installCommand, installPackages, missingPackages, systemPackages } from './packages.ts';
import { createProbe, type Probe } from './probe.ts';
import { chooseWireguard } from './wireguard.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-setup-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

async function program(path: string, says: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${says}\n`);
  await chmod(path, 0o755);
}

const answers = (said: Readonly<Record<string, string>>, there: readonly string[] = []): Probe => ({
  which: async (name) => (there.includes(name) ? `/usr/bin/${name}` : undefined),
  say: async (command, args) => said[[command, ...args].join(' ')] ?? said[command],
});

test('a JVM is found by what it says of itself, not by its name', async (t) => {
  const jvms = await folder(t);
  await program(join(jvms, 'java-17-but-newer/bin/java'), `echo 'openjdk version "21.0.2" 2024-01-16' >&2`);
  await program(join(jvms, 'some-jdk/bin/java'), `echo 'openjdk version "17.0.15" 2025-04-15' >&2`);
  await program(join(jvms, 'old/bin/java'), `echo 'java version "1.8.0_402"' >&2`);
  assert.equal(await findJavaHome({}, createProbe({}), jvms), join(jvms, 'some-jdk'));
  assert.equal(
    await findJavaHome({ JAVA_HOME: join(jvms, 'old') }, createProbe({}), jvms),
    join(jvms, 'some-jdk'),
  );
  await rm(join(jvms, 'some-jdk'), { recursive: true });
  assert.equal(await findJavaHome({}, createProbe({}), jvms), undefined);
});

test('programs are found on PATH', async (t) => {
  const bin = await folder(t);
  for (const { program: name } of systemPackages) await program(join(bin, name), 'exit 0');
  assert.deepEqual(await missingPackages(createProbe({ PATH: bin })), []);
  const some = answers({}, ['ip', 'bwrap', 'wg', 'nsenter', 'perl']);
  assert.deepEqual(await missingPackages(some), ['nftables', 'maven']);
  assert.deepEqual(await missingPackages(some, [gatePackage]), ['nftables', 'maven', 'haproxy']);
});

test('without root the one exact command is named', async () => {
  const options = {
    root: false,
    probe: answers({}, ['apt-get']),
    say: () => undefined,
    signal: AbortSignal.timeout(1000),
  };
  await assert.rejects(installPackages(['nftables', 'maven'], options), (error) => {
    assert.ok(error instanceof SetupError);
    assert.equal(error.next, `sudo ${installCommand(['nftables', 'maven'])}`);
    return true;
  });
});

const kernelTry = 'unshare --user --map-root-user --net ip link add dev wg0 type wireguard';

test('WireGuard: the kernel, then one built, then Go, then the distribution', async () => {
  assert.deepEqual(await chooseWireguard(answers({ [kernelTry]: '' }), '/built'), { from: 'kernel' });
  assert.deepEqual(await chooseWireguard(answers({ '/built --version': 'wireguard-go' }), '/built'), {
    from: 'built',
    path: '/built',
  });
  assert.deepEqual(
    await chooseWireguard(
      answers({ '/usr/bin/go version': 'go version go1.26.1 linux/amd64' }, ['go']),
      '/built',
    ),
    { from: 'go', go: '/usr/bin/go' },
  );
  const old = answers({ '/usr/bin/go version': 'go version go1.19.8 linux/amd64' }, ['go', 'wireguard-go']);
  assert.deepEqual(await chooseWireguard(old, '/built'), {
    from: 'distribution',
    path: '/usr/bin/wireguard-go',
  });
  assert.deepEqual(await chooseWireguard(answers({}), '/built'), { from: 'missing' });
});

for (const [version, enough] of [
  ['1.23.0', false],
  ['1.23.1', true],
  ['1.24', true],
  ['2.0.0', true],
] as const) {
  test(`Go ${version} is ${enough ? '' : 'not '}enough`, async () => {
    const probe = answers({ '/usr/bin/go version': `go version go${version} linux/arm64` }, ['go']);
    assert.equal((await chooseWireguard(probe, '/built')).from, enough ? 'go' : 'missing');
  });
}

test('jars: exactly those of the list', async (t) => {
  const lib = await folder(t);
  const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
  const sums = parseSums(`${sum('a')}  a.jar\n${sum('b')} *b.jar\n`);
  await writeFile(join(lib, 'a.jar'), 'a');
  await writeFile(join(lib, 'b.jar'), 'changed');
  await writeFile(join(lib, 'stray.jar'), '');
  assert.deepEqual(await differences(lib, sums), [
    'b.jar has another checksum',
    'stray.jar is not in the list',
  ]);
  await rm(join(lib, 'stray.jar'));
  await writeFile(join(lib, 'b.jar'), 'b');
  assert.deepEqual(await differences(lib, sums), []);
  await rm(join(lib, 'a.jar'));
  assert.deepEqual(await differences(lib, sums), ['a.jar is missing']);
});

test('memory and disk: what is there, what is needed, what to do', async () => {
  assert.match(tooLittle('memory', 2 ** 31, '')!.message, /2\.0 GiB are available, 4 GiB are needed/);
  assert.match(tooLittle('disk', 2 ** 30, '/home')!.next, /SALLYPORT_HOME/);
  assert.equal(tooLittle('memory', 2 ** 33, ''), undefined);
  await assert.rejects(checkDisk('/tmp', 2 ** 80), { code: 'TooLittleDisk' });
  await checkDisk('/tmp', 1);
});

test('forbidden user namespaces: whoever forbids them is named', () => {
  const none = { appArmor: undefined, debian: undefined, limit: undefined };
  assert.match(
    forbiddenNamespaces({ ...none, appArmor: '1' }).next,
    /kernel\.apparmor_restrict_unprivileged_userns=0/,
  );
  assert.match(forbiddenNamespaces({ ...none, debian: '0' }).next, /unprivileged_userns_clone=1/);
  assert.match(forbiddenNamespaces({ ...none, limit: '0' }).next, /max_user_namespaces/);
  assert.match(forbiddenNamespaces(none).message, /container/);
});

test('the state folder: XDG, its own variable, too long, not absolute', () => {
  assert.equal(findHome({ HOME: '/home/x' }).root, '/home/x/.local/share/sallyport');
  assert.equal(findHome({ HOME: '/home/x', XDG_DATA_HOME: '/data' }).root, '/data/sallyport');
  assert.equal(findHome({ SALLYPORT_HOME: '/s' }).control, '/s/control');
  assert.throws(() => findHome({ SALLYPORT_HOME: `/${'long/'.repeat(20)}` }), { code: 'HomePathTooLong' });
  assert.throws(() => findHome({ SALLYPORT_HOME: 'here' }), { code: 'HomeNotAbsolute' });
});
