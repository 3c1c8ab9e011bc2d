import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { ServiceSeed } from '../exchange/intents/service.ts';
import type { Clock } from '../lib/clock.ts';
import { checkAccounts } from './config.ts';
import { openServices, type Asked } from './services.ts';

const storage = (subscription: string, name: string) => ({
  id: `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${name}`,
});
const asked = (services: Asked['services']): Asked => ({
  services,
  location: 'eastus2',
  providerSubscription: 'p',
});

test('what is asked for becomes machines and accounts, signed for by one authority', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-services-'));
  t.after(() => rm(folder, { recursive: true }));
  let now = Date.now();
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  assert.deepEqual(await openServices(folder, asked(undefined), clock), { accounts: [], machines: [] });
  await assert.rejects(stat(join(folder, 'authority')), 'nothing is made that nobody asked for');

  const both = asked({ storage: { accounts: [storage('p', 'logs'), storage('x', 'evil')] }, monitor: {} });
  const { accounts, machines } = await openServices(folder, both, clock);
  assert.deepEqual(
    accounts.map(({ name, address, port }) => `${name} ${address}:${port}`),
    [
      'logs.blob.core.windows.net 172.31.4.4:10000',
      'evil.blob.core.windows.net 172.31.4.4:10000',
      'monitor.eastus2.prometheus.monitor.azure.com 172.31.4.5:9090',
    ],
  );
  assert.match(accounts[2]!.id, /^\/subscriptions\/p\/.*\/Microsoft\.Monitor\/accounts\/monitor$/);
  // The gate would take each.
  checkAccounts(
    'config.json',
    accounts.map((one) => ({ ...one, logs: undefined })),
  );
  assert.deepEqual(
    machines.map(({ kind, seed }) => [kind, Object.keys(seed)]),
    [
      ['storage', ['storage-1.json']],
      ['monitor', ['monitor-1.json']],
    ],
  );
  const seed: unknown = JSON.parse(machines[0]!.seed['storage-1.json']!);
  assert.ok(Value.Check(ServiceSeed, seed));
  assert.deepEqual(seed.accounts, ['logs', 'evil']);
  // Of each account, made here and kept; nobody signs with it where no logs are asked for.
  assert.deepEqual(seed.containers, {});
  assert.equal(Buffer.from(seed.keys!['logs']!, 'base64').length, 64);
  assert.notEqual(seed.keys!['logs'], seed.keys!['evil']);
  assert.equal((await stat(join(folder, 'authority/storage-keys.json'))).mode & 0o777, 0o600);
  assert.ok(accounts.every(({ logs }) => logs === undefined));
  const certificate = new X509Certificate(seed.certificate);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(seed.privateKey)));
  assert.ok(certificate.verify(new X509Certificate(accounts[0]!.authority).publicKey));
  for (const name of seed.names) assert.equal(certificate.checkHost(name), name);
  assert.equal(certificate.checkHost('other.blob.core.windows.net'), undefined);
  assert.equal((await stat(join(folder, 'authority/services-storage.json'))).mode & 0o777, 0o600);

  assert.deepEqual(
    await openServices(folder, both, clock),
    { accounts, machines },
    'it is the same from then on',
  );
  const withLogs = { storage: { accounts: [{ ...storage('p', 'logs'), logs: { container: 'cassandra' } }] } };
  const more = asked({ storage: { accounts: [storage('p', 'logs')] } });
  const next = await openServices(folder, more, clock);
  assert.deepEqual(
    Object.keys(next.machines[0]!.seed),
    ['storage-2.json'],
    'another content has another name',
  );
  now += 340 * 86_400_000;
  const renewed = await openServices(folder, more, clock);
  assert.deepEqual(Object.keys(renewed.machines[0]!.seed), ['storage-3.json'], 'it would end soon');
  assert.equal(renewed.accounts[0]!.authority, accounts[0]!.authority);
  const next4 = await openServices(folder, asked(withLogs), clock);
  assert.deepEqual(Object.keys(next4.machines[0]!.seed), ['storage-4.json'], 'its machine has to know of it');
  const seed4 = JSON.parse(next4.machines[0]!.seed['storage-4.json']!) as ServiceSeed;
  assert.deepEqual(seed4.containers, { logs: 'cassandra' });
  assert.deepEqual(seed4.keys, { logs: seed.keys!['logs'] }, 'a key is kept');
  const { logs } = next4.accounts[0]!;
  assert.deepEqual(logs, { container: 'cassandra', account: 'logs', key: seed.keys!['logs'] });
  assert.deepEqual((await openServices(folder, both, clock)).machines.length, 2);
  const again = JSON.parse(await readFile(join(folder, 'authority/storage-keys.json'), 'utf8')) as object;
  assert.deepEqual(again, seed.keys, 'also that of an account that was not asked for meanwhile');
  for (const wrong of ['[]', '{"logs":""}', '{'])
    await writeFile(join(folder, 'authority/storage-keys.json'), wrong).then(() =>
      assert.rejects(openServices(folder, both, clock), { code: 'ConfigInvalid' }, wrong),
    );
  const kept = await readFile(join(folder, 'authority/services.json'), 'utf8');
  assert.ok(
    !JSON.stringify(renewed.machines).includes((JSON.parse(kept) as { privateKey: string }).privateKey),
  );
});

test('an account that is called as every object has something is given a key of its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-services-'));
  t.after(() => rm(folder, { recursive: true }));
  const one = asked({ storage: { accounts: [storage('p', 'constructor')] } });
  const { machines } = await openServices(folder, one, { now: Date.now, sleep: () => Promise.resolve() });
  const seed = JSON.parse(machines[0]!.seed['storage-1.json']!) as ServiceSeed;
  assert.equal(Buffer.from(String(seed.keys!['constructor']), 'base64').length, 64);
});

test('services that could never be let through are named at the start, with why', () => {
  const outside = {
    ...storage('p', 'metrics'),
    ...{ name: 'logs.blob.core.windows.net', address: '10.9.0.4', port: 443, authority: 'none' },
  };
  const check = (services: Asked['services']) => checkAccounts('config.json', [], { services });
  check({ storage: { accounts: [storage('p', 'logs'), storage('x', 'logs2')] }, monitor: {} });
  for (const [services, why] of [
    [
      { storage: { accounts: [{ id: 'logs' }] } },
      /\/services\/storage\/accounts\/0: "logs" has to be like \/sub/,
    ],
    [
      { storage: { accounts: [{ ...storage('p', 'logs'), logs: { container: 'No' } }] } },
      /accounts\/0: "No" is no name of a container/,
    ],
    [
      {
        storage: {
          accounts: ['logs', 'more'].map((name) => ({ ...storage('p', name), logs: { container: 'abc' } })),
        },
      },
      /accounts\/1: the logs of subscription p are kept in \/services\/storage\/accounts\/0 already/,
    ],
    [{ storage: { accounts: [storage('p', 'Logs')] } }, /NAME of 3 to 24 lower-case letters and digits/],
    [{ storage: { accounts: [storage('p', '../x')] } }, /has to be like/],
    [
      { storage: { accounts: [storage('p', 'logs'), storage('x', 'logs')] } },
      /accounts\/1: its name logs\.blob\.core\.windows\.net is that of \/services\/storage\/accounts\/0 as well/,
    ],
    [
      { monitor: storage('p', 'logs') },
      /\/services\/monitor: .* has to be like .*Microsoft\.Monitor\/accounts/,
    ],
  ] as const)
    assert.throws(() => check(services as Asked['services']), { code: 'ConfigInvalid', message: why });
  assert.throws(() => checkAccounts('config.json', [outside], {}), /authority/);
});
