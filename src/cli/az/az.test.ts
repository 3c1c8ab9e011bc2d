import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFileAtomic } from '../../lib/files.ts';
import type { CliContext } from '../context.ts';
import { findHome } from '../home.ts';
import type { Probe } from '../setup/probe.ts';
import { registeredEndpoint } from './configure.ts';
import { findAz, isAtLeast, versionIn } from './find.ts';
import { azVersion, findPython } from './install.ts';
import { environmentFor, placeFor } from './place.ts';

const home = findHome({ SALLYPORT_HOME: '/home/me/s' });
const answers = (said: Readonly<Record<string, string>>): Probe => ({
  which: async (name) => (name in said ? `/bin/${name}` : undefined),
  say: async (command) => said[command.slice('/bin/'.length)] || undefined,
});
const version = (number: string): string =>
  `{\n  "azure-cli": "${number}",\n  "azure-cli-core": "${number}"\n}`;

test('az keeps its things apart for each principal, and nothing else is exported than what it needs', () => {
  const place = placeFor(home, 'provider', undefined);
  assert.equal(place.config, '/home/me/s/person/az/provider');
  assert.deepEqual(environmentFor(home, place, { path: '/usr/bin/az', onPath: true }, { PATH: '/usr/bin' }), {
    AZURE_CONFIG_DIR: '/home/me/s/person/az/provider',
    AZURE_EXTENSION_DIR: '/home/me/s/person/az/provider/cliextensions',
    REQUESTS_CA_BUNDLE: '/home/me/s/person/ca.pem',
  });
  assert.equal(placeFor(home, 'customer', '/home/me/.azure').extensions, '/home/me/.azure/cliextensions');
});

test('our own az is put before PATH; what goes to this machine passes by a proxy', () => {
  const place = placeFor(home, 'customer', undefined);
  const env = { PATH: '/usr/bin', HTTPS_PROXY: 'http://proxy:1', NO_PROXY: 'intern' };
  const exports = environmentFor(
    home,
    place,
    { path: '/home/me/s/tools/az/venv/bin/az', onPath: false },
    env,
  );
  assert.equal(exports['PATH'], '/home/me/s/tools/az/venv/bin:/usr/bin');
  assert.equal(exports['NO_PROXY'], 'intern,127.0.0.1,localhost');
});

test('the registered address is that of our own cloud', () => {
  const other = '[Lab]\nendpoint_resource_manager = https://lab/\n';
  assert.equal(registeredEndpoint(''), undefined);
  assert.equal(registeredEndpoint(other), undefined);
  const ours = '\n[Sallyport]\nendpoint_portal = x\nendpoint_resource_manager = https://127.0.0.1:1/\n';
  assert.equal(registeredEndpoint(other + ours), 'https://127.0.0.1:1');
  assert.equal(registeredEndpoint(ours + other), 'https://127.0.0.1:1');
});

test('versions', () => {
  assert.equal(versionIn(version('2.91.0')), '2.91.0');
  assert.equal(versionIn(undefined), undefined);
  assert.ok(isAtLeast('2.91.0', '2.91.0') && isAtLeast('2.100.0', '2.91.0') && isAtLeast('3.0.0', '2.91.0'));
  assert.ok(!isAtLeast('2.90.9', '2.91.0') && !isAtLeast('1.99.0', '2.91.0'));
});

test('an az on PATH that is new enough, else our own, else an error with the command that mends it', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sallyport-az-'));
  t.after(() => rm(root, { recursive: true }));
  const cx = { home: findHome({ SALLYPORT_HOME: root }) } as CliContext;
  const next = { next: /az setup --install/ };
  assert.deepEqual(await findAz(cx, false, answers({ az: version('2.92.0') })), {
    path: '/bin/az',
    onPath: true,
  });
  await assert.rejects(findAz(cx, false, answers({})), { code: 'NoAz', ...next });
  await assert.rejects(findAz(cx, false, answers({ az: version('2.60.0') })), { code: 'AzTooOld', ...next });
  await writeFileAtomic(join(root, 'tools/az/version'), `${azVersion}\n`);
  const own = { path: join(root, 'tools/az/venv/bin/az'), onPath: false };
  assert.deepEqual(await findAz(cx, false, answers({ az: version('2.60.0') })), own);
});

test('the first Python that is fit', async () => {
  assert.equal(await findPython(answers({})), undefined);
  // The first one answers with a failure.
  assert.equal(await findPython(answers({ python3: '', 'python3.12': 'fit' })), '/bin/python3.12');
});
