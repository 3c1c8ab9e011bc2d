import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { GateCluster } from '../../../src/exchange/intents/gate.ts';
import { openAuthorities } from '../../../src/gate/authorities.ts';
import { ConfigurationRefused, createEnforcer } from '../../../src/gate/enforce.ts';
import { gatePaths } from '../../../src/gate/paths.ts';
import { createProxy } from '../../../src/gate/proxy.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { freePort, program, request, say, startAccount, statusOf } from '../../harness/gate.ts';

const log = createLog({}, { write: () => undefined });
const names = ['kept.example', 'gone.example', 'new.example'] as const;

/** A gate whose account `new.example` makes a configuration that the proxy will not take. */
async function stage(t: TestContext, named = program) {
  const folder = await mkdtemp(join(tmpdir(), 'gate-'));
  const paths = gatePaths(folder, join(folder, 'run'));
  await mkdir(paths.generations, { recursive: true });
  const proxy = createProxy({
    ...{ paths, program: named, clock: systemClock, log },
    onExit: () => undefined,
  });
  t.after(async () => {
    await proxy.end();
    await rm(folder, { recursive: true, force: true });
  });
  const accounts = await Promise.all(names.map(async (name) => (await startAccount(t, name)).said()));
  const cluster = { identity: 'c1', source: '127.0.0.1', port: await freePort() };
  const authorities = await openAuthorities(paths.authorities, paths.certificates);
  await authorities.ensure(['c1'], [{ ...cluster, accounts }], Date.now());
  const certificate = (identity: string, name: string): string =>
    name === 'new.example' ? join(folder, 'nothing.pem') : authorities.fileOf(identity, name);
  const enforcer = createEnforcer({ ...{ paths, proxy, log }, ground: { listen: '127.0.0.1', certificate } });
  const to = { port: cluster.port, ca: authorities.certificateOf('c1')! };
  const clusters = (...wanted: readonly string[]): readonly GateCluster[] => [
    { ...cluster, accounts: accounts.filter(({ name }) => wanted.includes(name)) },
  ];
  return {
    proxy,
    async enforce(...wanted: readonly string[]) {
      await enforcer.cut(clusters(...wanted));
      return enforcer.enforce(clusters(...wanted), async () => undefined);
    },
    ask: async (name: string) => statusOf(await say(to, name, request(name))),
  };
}

test(
  'of a configuration that is not taken, what it takes away is taken away',
  { timeout: 60_000 },
  async (t) => {
    const { enforce, ask } = await stage(t);
    await enforce('kept.example', 'gone.example');
    assert.deepEqual([await ask('kept.example'), await ask('gone.example')], ['200', '200']);
    await assert.rejects(enforce('kept.example', 'new.example'), ConfigurationRefused);
    assert.equal(await ask('kept.example'), '200');
    assert.notEqual(await ask('gone.example'), '200');
    assert.notEqual(await ask('new.example'), '200');
  },
);

test('a first configuration that is not taken lets nothing through', { timeout: 60_000 }, async (t) => {
  const { enforce, ask, proxy } = await stage(t);
  await assert.rejects(enforce('kept.example', 'new.example'), ConfigurationRefused);
  assert.equal(await proxy.running(), undefined);
  assert.equal(await ask('kept.example'), 'ECONNREFUSED');
});

test('a machine without the proxy says so', { timeout: 60_000 }, async (t) => {
  const { enforce } = await stage(t, 'no-such-program');
  await assert.rejects(enforce('kept.example'), { code: 'NoProxy', next: /apt-get install/ });
});
