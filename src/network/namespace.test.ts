import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planNamespace, type DeviceShall, type NamespaceIs, type NamespaceShall } from './namespace.ts';
import { parseNamespace } from './namespace-read.ts';
import { listedMarks, planMark, replaceTables, tableKey } from './nft.ts';
import type { NftTable } from './nft-table.ts';
import { parseRecorder, recorderSize } from './recorder.ts';

const device = (name: string): DeviceShall => ({
  name,
  mac: `02:00:00:00:00:0${name.length}`,
  far: { pid: 7, device: 'eth0', mac: '02:00:00:00:00:99' },
  sysctls: {},
});
const wall: NftTable = { family: 'inet', name: 'router', body: '  chain c {\n  }' };
const nic: NftTable = { family: 'netdev', name: 'nic_m1', body: '  chain c {\n  }' };
const shall: NamespaceShall = {
  name: 'vnet-x',
  sysctls: {},
  setup: { ipv4: [], ipv6: [] },
  devices: [device('m1')],
  addresses: ['10.0.2.1/32 dev lo'],
  routes: ['10.0.2.4/32 dev m1', 'blackhole 10.0.0.0/8'],
  neighbours: [],
  rules: [],
  tables: [wall, nic],
};
const settled: NamespaceIs = {
  devices: [{ name: 'm1', mac: device('m1').mac, up: true }],
  addresses: shall.addresses,
  routes: shall.routes,
  neighbours: [],
  rules: [],
  tables: new Map([
    [tableKey(wall), 'a'],
    [tableKey(nic), 'b'],
  ]),
};
const marks = new Map([
  [tableKey(wall), { plan: planMark(wall), listed: 'a' }],
  [tableKey(nic), { plan: planMark(nic), listed: 'b' }],
]);

test('what is as it shall be asks for nothing', () => {
  assert.equal(planNamespace(shall, settled, marks).changes, 0);
});

test('a namespace that is not there is made whole', () => {
  const plan = planNamespace(shall, undefined, new Map());
  assert.deepEqual(
    [plan.create, plan.inet.length, plan.netdev.length, plan.addDevices.length, plan.lines.length],
    [true, 1, 1, 1, 3],
  );
});

test('rules that somebody changed, and rules that shall be others, are replaced; no others are', () => {
  const touched = planNamespace(
    shall,
    { ...settled, tables: new Map([...settled.tables, [tableKey(wall), 'changed']]) },
    marks,
  );
  assert.deepEqual([touched.inet, touched.netdev], [[wall], []]);
  const other = { ...wall, body: '  chain d {\n  }' };
  assert.deepEqual(planNamespace({ ...shall, tables: [other, nic] }, settled, marks).inet, [other]);
});

test('a device made anew gets its own rules and routes anew', () => {
  const plan = planNamespace(shall, { ...settled, devices: [] }, marks);
  assert.deepEqual(plan.netdev, [nic]);
  assert.deepEqual(
    plan.raise.map(({ name }) => name),
    ['m1'],
  );
  assert.ok(plan.lines.includes('route replace 10.0.2.4/32 dev m1 proto static'));
});

test('a route that takes the place of another does so in one step, and only one of its own place', () => {
  const wanted = [
    'default via 10.0.2.9 dev m1 onlink table 7',
    'blackhole default table 7 metric 9999',
    'throw 10.0.0.0/8 table 7',
  ];
  const now = [
    'blackhole default table 7',
    'blackhole default table 8',
    '10.0.0.0/8 via 10.0.2.9 dev m1 table 7',
  ];
  const { lines } = planNamespace({ ...shall, routes: wanted }, { ...settled, routes: now }, marks);
  assert.deepEqual(lines, [
    'route del blackhole default table 8',
    ...wanted.map((route) => `route replace ${route} proto static`),
  ]);
});

test('what is no longer named goes: devices, routes, tables, addresses', () => {
  const plan = planNamespace(
    { ...shall, devices: [], routes: [], addresses: [], tables: [wall] },
    settled,
    marks,
  );
  assert.deepEqual(plan.dropDevices, ['m1']);
  assert.deepEqual(plan.dropTables, [tableKey(nic)]);
  assert.deepEqual(
    plan.lines,
    ['route del blackhole 10.0.0.0/8', 'addr del 10.0.2.1/32 dev lo'],
    "a device's routes go with it",
  );
});

test("reads ip's answers in the words of a plan", () => {
  const text = [
    [
      { ifname: 'lo', address: '', flags: ['UP'] },
      { ifname: 'pe0', address: '02:00:00:00:00:01', flags: ['UP'] },
    ],
    [
      {
        ifname: 'lo',
        addr_info: [
          { family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' },
          { family: 'inet', local: '10.0.2.1', prefixlen: 32, scope: 'global' },
        ],
      },
    ],
    [
      { dst: 'default', gateway: '169.254.1.1', dev: 'pe0', table: '100', flags: ['onlink'] },
      { type: 'blackhole', dst: '10.0.0.0/8', flags: [] },
      { dst: '10.0.2.5', dev: 'pe0', flags: [] },
    ],
    [
      { priority: 0, table: 'local' },
      { iif: 'pe0', table: '100' },
    ],
    [{ dst: '169.254.1.1', dev: 'pe0', lladdr: '02:00:00:00:00:02' }],
  ]
    .map((part) => JSON.stringify(part))
    .join('\n');
  assert.deepEqual(parseNamespace(text), {
    devices: [{ name: 'pe0', mac: '02:00:00:00:00:01', up: true }],
    addresses: ['10.0.2.1/32 dev lo'],
    routes: [
      'default via 169.254.1.1 dev pe0 onlink table 100',
      'blackhole 10.0.0.0/8',
      '10.0.2.5/32 dev pe0',
    ],
    rules: ['iif pe0 lookup 100'],
    neighbours: ['169.254.1.1 lladdr 02:00:00:00:00:02 dev pe0'],
  });
});

test('replaces tables in one text, and tells listed tables apart', () => {
  assert.match(
    replaceTables([wall, nic]),
    /^table inet router\ndelete table inet router\ntable inet router \{[^]*delete table netdev nic_m1\n/,
  );
  const marksOf = listedMarks('table inet a {\n\tchain x {\n\t}\n}\ntable netdev b {\n}\n');
  assert.deepEqual([...marksOf.keys()], ['inet a', 'netdev b']);
});

test('a recorder that is full is no witness', () => {
  const set = (count: number) =>
    JSON.stringify({
      nftables: [
        {
          set: {
            name: 'ports',
            elem: Array.from({ length: count }, (_, index) => ({
              elem: { val: { concat: ['10.0.0.1', '10.0.0.2', 'udp', index] }, counter: { packets: 2 } },
            })),
          },
        },
      ],
    });
  assert.deepEqual(parseRecorder(set(1), false), [
    { device: null, source: '10.0.0.1', destination: '10.0.0.2', protocol: 'udp', port: 0, packets: 2 },
  ]);
  assert.throws(() => parseRecorder(set(recorderSize), false), /may have missed packets/);
});

test('a frame that is not IP is known by its type', () => {
  const frames = {
    nftables: [
      {
        set: {
          name: 'frames',
          elem: [
            {
              elem: {
                val: { concat: ['02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff', 35_029] },
                counter: { packets: 1 },
              },
            },
          ],
        },
      },
    ],
  };
  assert.equal(parseRecorder(JSON.stringify(frames), false)[0]?.protocol, 'ethertype 0x88d5');
});

test('protocols have one name, whether nft knew it or not', () => {
  const of = (protocol: string | number) =>
    parseRecorder(
      JSON.stringify({
        nftables: [{ set: { name: 'others', elem: [{ elem: { val: { concat: ['a', 'b', protocol] } } }] } }],
      }),
      false,
    )[0]?.protocol;
  assert.deepEqual([6, 'tcp', 17, 1, 58, 'ipv6-icmp', 253].map(of), [
    'tcp',
    'tcp',
    'udp',
    'icmp',
    'icmpv6',
    'icmpv6',
    '253',
  ]);
});
