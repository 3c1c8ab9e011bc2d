import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricIntent, FabricMachine } from '../exchange/intents/fabric.ts';
import { diskName, linkNamespace, machineDevice, routerNamespace } from './names.ts';
import { numberNetworks, planWorld } from './plan.ts';

const network = (id: string, internet = true) => ({
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
