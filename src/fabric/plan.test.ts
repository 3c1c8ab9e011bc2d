import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricIntent, FabricMachine, FabricNetwork } from '../exchange/intents/fabric.ts';
import { diskName, linkNamespace, machineDevice, peeringDevice, routerNamespace } from './names.ts';
import { numberNetworks, planWorld } from './plan.ts';

const network = (id: string, internet = true): FabricNetwork => ({
  id,
  label: id,
  prefixes: ['10.0.0.0/16'],
  subnets: [{ name: 's', prefix: '10.0.2.0/24' }],
  internet,
});
const machine = (id: string, more: Partial<FabricMachine> = {}): FabricMachine => ({
  id,
  kind: 'node',
  hostname: id,
  network: 'a',
  subnet: 's',
  address: '10.0.2.4',
  allow: [],
  seed: {},
  ...more,
});
const link = (open: boolean) => ({
  id: 'l',
  label: 'l',
  consumer: { network: 'a', address: '10.0.1.10' },
  provider: { network: 'b', natAddress: '10.0.3.4', destination: '10.0.2.4' },
  port: 51820,
  open,
});
const intent = (machines: readonly FabricMachine[], links: FabricIntent['links'] = []): FabricIntent => ({
  networks: [network('a'), network('b')],
  machines: [...machines],
  links,
  work: [],
});
const numbers = { a: 0, b: 1 };

test('each network, link and the internet have a namespace of their own', () => {
  const { namespaces, refused } = planWorld(
    intent([machine('m'), machine('n', { network: 'b' })], [link(true)]),
    new Map([['m', 12]]),
    numbers,
    true,
  );
  assert.deepEqual(
    namespaces.map(({ name }) => name),
    ['internet', routerNamespace('a'), routerNamespace('b'), linkNamespace('l')],
  );
  assert.equal(refused.size, 0);
  const devices = namespaces.find(({ name }) => name === routerNamespace('a'))?.devices ?? [];
  assert.deepEqual(devices.find(({ name }) => name === machineDevice('m'))?.far, {
    ...devices.find(({ name }) => name === machineDevice('m'))?.far,
    pid: 12,
    device: 'eth0',
  });
});

test('both ends of a cable agree', () => {
  const { namespaces } = planWorld(intent([], [link(true)]), new Map(), numbers, true);
  const ends = new Map(
    namespaces.flatMap(({ name, devices }) =>
      devices.map((device) => [`${name} ${device.name}`, device] as const),
    ),
  );
  for (const [place, device] of ends) {
    if (!('namespace' in device.far)) continue;
    const other = ends.get(`${device.far.namespace} ${device.far.device}`);
    assert.ok(other, `${place} has another end`);
    assert.equal(other.mac, device.far.mac);
  }
});

test('recorders stand only while they are read', () => {
  const tables = (recording: boolean): readonly string[] =>
    planWorld(intent([machine('m')], [link(true)]), new Map([['m', 1]]), numbers, recording)
      .namespaces.flatMap((shall) => shall.tables)
      .map(({ name }) => name);
  const device = machineDevice('m');
  assert.ok(tables(true).includes(`rec_${device}`) && tables(true).includes('recorder'));
  assert.deepEqual(
    tables(false).filter((name) => name.startsWith('rec')),
    [],
  );
  assert.ok(tables(false).includes(`nic_${device}`) && tables(false).includes('router'));
});

test('names fit the kernel', () => {
  const { namespaces } = planWorld(intent([machine('m')], [link(true)]), new Map([['m', 1]]), numbers, true);
  for (const { devices, tables } of namespaces) {
    for (const { name } of devices) assert.ok(name.length <= 15, name);
    for (const { name } of tables) assert.match(name, /^[a-z][a-z0-9_]*$/);
  }
});

test('what cannot be made is named with its reason, and the rest is made', () => {
  const flaws: readonly [Partial<FabricMachine>, RegExp][] = [
    [{ network: 'x' }, /network 'x' is not in the intent/],
    [{ subnet: 'x' }, /no subnet 'x'/],
    [{ address: '10.0.9.4' }, /does not lie in subnet 's' \(10\.0\.2\.0\/24\)/],
    [{ address: '10.0.2.4; flush ruleset' }, /is not an IPv4 address/],
    [{ hostname: 'a b' }, /can't be a host name/],
    [
      { allow: [{ direction: 'out', protocol: 'udp', remote: ['0.0.0.0/0 accept'], port: 1, reason: '' }] },
      /is not an IPv4 prefix/,
    ],
  ];
  for (const [flaw, reason] of flaws) {
    const { refused, namespaces } = planWorld(
      intent([machine('bad', flaw), machine('good', { address: '10.0.2.9' })]),
      new Map([['good', 3]]),
      numbers,
      true,
    );
    assert.match(refused.get('bad') ?? '', reason);
    assert.ok(namespaces.some(({ devices }) => devices.some(({ name }) => name === machineDevice('good'))));
  }
});

test('two machines on one address are both refused', () => {
  const { refused } = planWorld(intent([machine('m'), machine('n')]), new Map(), numbers, true);
  assert.deepEqual([...refused.keys()], ['m', 'n']);
});

test("a network's number stays its own while it lives, and is given again after", () => {
  const first = numberNetworks([network('a'), network('b')], {});
  assert.deepEqual(first, { a: 0, b: 1 });
  const second = numberNetworks([network('b'), network('c')], first);
  assert.deepEqual(second, { b: 1, c: 0 });
});

test('a plain id names the folder, any other one can lead nowhere else', () => {
  assert.equal(diskName('dc1-1'), 'dc1-1');
  assert.match(diskName('../../etc'), /^-etc-[0-9a-f]{12}$/);
  assert.notEqual(diskName('a/b'), diskName('a.b/'));
});

const tied = (id: string, prefix: string, peers: readonly string[]): FabricNetwork => ({
  ...network(id),
  prefixes: [prefix],
  subnets: [{ name: 's', prefix: prefix.replace(/\/\d+$/, '/24') }],
  peerings: peers.map((peer) => ({ network: peer, access: true })),
});
const routerBody = (plan: ReturnType<typeof planWorld>, id: string): string =>
  plan.namespaces
    .find(({ name }) => name === routerNamespace(id))
    ?.tables.find(({ name }) => name === 'router')?.body ?? '';

test('a peering is a cable between two routers, only where both name each other', () => {
  const plan = (b: readonly string[]) =>
    planWorld(
      {
        networks: [tied('a', '10.1.0.0/16', ['b']), tied('b', '10.2.0.0/16', b)],
        machines: [],
        links: [],
        work: [],
      },
      new Map(),
      numbers,
      false,
    );
  const device = peeringDevice('b', 'a');
  const ends = (tie: ReturnType<typeof planWorld>) =>
    tie.namespaces.flatMap(({ devices, routes }) =>
      devices
        .filter(({ name }) => name === device)
        .map(() => routes.filter((route) => route.includes(device))),
    );
  assert.deepEqual(ends(plan([])), []);
  assert.deepEqual(ends(plan(['a'])), [
    [`10.2.0.0/16 via 169.254.1.1 dev ${device} onlink`],
    [`10.1.0.0/16 via 169.254.1.1 dev ${device} onlink`],
  ]);
  assert.match(
    routerBody(plan(['a']), 'a'),
    new RegExp(`iifname "${device}" ip saddr { 10.2.0.0/16 } accept`),
  );
});

test('a peering whose address spaces overlap, or overlap another peer, is named and not made', () => {
  const plan = planWorld(
    {
      networks: [
        tied('a', '10.1.0.0/16', ['b', 'c', 'd']),
        tied('b', '10.1.128.0/17', ['a']),
        tied('c', '10.3.0.0/16', ['a']),
        tied('d', '10.3.0.0/16', ['a']),
      ],
      machines: [],
      links: [],
      work: [],
    },
    new Map(),
    { a: 0, b: 1, c: 2, d: 3 },
    false,
  );
  assert.deepEqual([...plan.refused.keys()], ['peering of a and b', 'peering of a and d']);
  assert.match(routerBody(plan, 'a'), new RegExp(peeringDevice('a', 'c')));
  assert.doesNotMatch(
    routerBody(plan, 'a'),
    new RegExp(`${peeringDevice('a', 'b')}|${peeringDevice('a', 'd')}`),
  );
});

test('a group that is not there, or has a rule that is none, lets nothing pass', () => {
  const rule = {
    name: 'r',
    priority: 100,
    direction: 'Inbound' as const,
    access: 'Allow' as const,
    protocol: '*' as const,
    source: { prefixes: ['10.0.0.1/8'], groups: [] },
    sourcePorts: ['*'],
    destination: { prefixes: ['*'], groups: [] },
    destinationPorts: ['*'],
  };
  for (const securityGroups of [[], [{ id: 'g', rules: [rule] }]]) {
    const plan = planWorld(
      { ...intent([machine('m', { securityGroup: 'g' })]), securityGroups },
      new Map([['m', 1]]),
      numbers,
      false,
    );
    assert.deepEqual(
      [...plan.refused.keys()],
      securityGroups.map(({ id }) => id),
    );
    const chains = [...routerBody(plan, 'a').matchAll(/chain sg_\w+ {\n(.*)\n {2}}/g)].map(([, line]) =>
      line?.trim(),
    );
    assert.deepEqual(
      chains,
      Array.from({ length: 2 }, () => 'drop comment "unknown security group"'),
    );
  }
});

test("a subnet's routes are a table of their own, whatever may stand in its place meanwhile", () => {
  const home = network('a');
  const routes = [
    { name: 'r1', prefix: '0.0.0.0/0', nextHopType: 'VirtualAppliance' as const, nextHopAddress: '10.0.2.9' },
    { name: 'r2', prefix: '10.0.0.0/8', nextHopType: 'None' as const, nextHopAddress: null },
    { name: 'r3', prefix: '10.0.0.1/8', nextHopType: 'None' as const, nextHopAddress: null },
  ];
  const plan = planWorld(
    {
      ...intent([machine('m'), machine('hop', { address: '10.0.2.9', allow: null })]),
      networks: [{ ...home, subnets: home.subnets.map((subnet) => ({ ...subnet, routes })) }],
    },
    new Map([
      ['m', 1],
      ['hop', 2],
    ]),
    numbers,
    false,
  );
  const router = plan.namespaces.find(({ name }) => name === routerNamespace('a'))!;
  const number = /^iif \S+ lookup (\d+)$/.exec(router.rules[0] ?? '')?.[1];
  assert.equal(router.rules.length, 2);
  const table = router.routes.filter((route) => route.includes(`table ${number}`));
  for (const line of [
    `default via 10.0.2.9 dev ${machineDevice('hop')} onlink table ${number}`,
    `blackhole default table ${number} metric 9999`,
    `blackhole 10.0.0.0/8 table ${number}`,
    `throw 172.16.0.0/12 table ${number}`,
    `throw 10.0.0.0/16 table ${number}`,
  ])
    assert.ok(table.includes(line), `${line} in ${table.join('; ')}`);
  assert.ok(
    !table.includes(`throw 10.0.0.0/8 table ${number}`),
    "the user's route stands in the system's place",
  );
  assert.match([...plan.refused.keys()].join(), /route r3/);
});
