import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { FabricIntent, FabricMachine } from '../../src/exchange/intents/fabric.ts';
import { machineDevice, routerNamespace } from '../../src/fabric/names.ts';
import { until } from '../../src/lib/clock.ts';
import { buildProgram, TestFabric } from '../harness/fabric.ts';

const machine = (
  id: string,
  kind: FabricMachine['kind'],
  address: string,
  allow: FabricMachine['allow'] = null,
): FabricMachine => ({ id, kind, hostname: id, network: 'one', subnet: 's', address, allow, seed: {} });
const world: FabricIntent = {
  networks: [
    {
      id: 'one',
      label: 'one',
      prefixes: ['10.0.0.0/16'],
      subnets: [{ name: 's', prefix: '10.0.2.0/24' }],
      internet: true,
    },
    {
      id: 'provider',
      label: 'provider',
      prefixes: ['172.31.0.0/16'],
      subnets: [{ name: 's', prefix: '172.31.0.0/24' }],
      internet: false,
    },
  ],
  machines: [
    // Its packet is the one after that which arrives: what an application's kernel says to the answer must not be taken for it.
    { ...machine('control', 'control-door', '172.31.0.4', []), network: 'provider' },
    machine('app', 'application', '10.0.2.9'),
    machine('node', 'node', '10.0.2.4', [
      { direction: 'in', protocol: 'tcp', remote: ['10.0.0.0/16'], port: 9042, reason: 'CQL' },
    ]),
  ],
  links: [],
  work: [],
  wallsSeconds: 1,
};

let program: string;
let fabric: TestFabric;
before(async () => {
  program = await buildProgram();
  fabric = await TestFabric.start({ program });
  await fabric.tell(world);
});
after(async () => {
  await fabric?.close();
  rmSync(program, { recursive: true, force: true });
});
const patience = { timeoutMs: 60_000, everyMs: 50 };
const walls = () => fabric.report?.walls;
const router = (...argv: readonly string[]) =>
  fabric.inFabric(['ip', 'netns', 'exec', routerNamespace('one'), 'nft', ...argv]);

test('a round finds the walls as they are asked for, and something arrives', async (t) => {
  const last = await until('a round', () => walls()?.last ?? undefined, patience);
  assert.deepEqual(walls()?.findings, []);
  assert.ok(last.tried >= 6 && last.agreed === last.tried - last.unproved && last.arrived === 1);
  t.diagnostic(`${last.tried} packets in ${last.milliseconds} ms`);
});

test('a wall that is opened by hand in the router is found, named, and put back', async () => {
  const chain = `in_original_${machineDevice('node')}`;
  const standing = async () => (await router('list', 'chain', 'inet', 'router', chain)).stdout;
  assert.match(await standing(), /drop comment "platform policy"/);
  // The fabric looks every five seconds: a hand that is undone before a round comes says nothing to it, so it does it again,
  // and often enough to come between the fabric's putting a table back and its looking at it.
  const open = async (): Promise<true | undefined> => {
    if (walls()?.findings.some(({ outcome }) => outcome === 'opened')) return true;
    const { exitCode, stderr } = await router('flush', 'chain', 'inet', 'router', chain);
    assert.equal(exitCode, 0, stderr);
    return undefined;
  };
  await until('the finding', open, { timeoutMs: 60_000, everyMs: 1 });
  const finding = walls()!.findings.find(({ outcome }) => outcome === 'opened')!;
  assert.deepEqual(
    [finding.from, finding.to, finding.protocol, finding.port],
    ['app', '10.0.2.4', 'tcp', 7001],
  );
  assert.match(
    finding.text,
    /^it arrived at node, and the walls as they are asked for let it arrive nowhere$/,
  );
  const [put] = await until(
    'it to be put back',
    () => (walls()!.putBack.length > 0 ? walls()!.putBack : undefined),
    patience,
  );
  assert.deepEqual([put!.where, put!.what], ['one', 'inet router']);
  await until('the wall', async () => /drop/.test(await standing()) || undefined, patience);
});

test('a table that somebody has added is named and taken away', async () => {
  await router('add', 'table', 'inet', 'visitor');
  const named = () => walls()!.putBack.find(({ what }) => what === 'inet visitor');
  assert.equal((await until('it to be named', named, patience)).where, 'one');
  await until(
    'it to go',
    async () => ((await router('list', 'tables')).stdout.includes('visitor') ? undefined : true),
    patience,
  );
});

test('what no plan knows is found by packets alone, and stands', async () => {
  const way = ['10.0.9.9/32', 'via', '10.0.2.9', 'dev', machineDevice('app'), 'onlink'];
  const before = new Date().toISOString();
  // The way to the internet now leads to the application machine itself.
  const canaries = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'];
  for (const canary of canaries)
    await fabric.inFabric(['ip', '-n', routerNamespace('one'), 'route', 'add', canary, ...way.slice(1)]);
  const found = await until(
    'the finding',
    () => walls()!.findings.find(({ at, stands }) => stands && at > before),
    patience,
  );
  assert.deepEqual([found.from, found.outcome, found.stands], ['app', 'opened', true]);
  assert.match(found.text, /it arrived at app, and the walls .* let it arrive at the internet only/);
});
