import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../lib/log.ts';
import { inAnyPrefix } from '../../lib/ip.ts';
import { encode } from './batch.ts';
import { planRun, type Turn } from './plan.ts';
import { firstPort, isAllowed, type Try } from './try.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

const node = (network: string, n: number): WorldMachine => ({
  id: `${network}-n${n}`,
  kind: 'node',
  hostname: `${network}-n${n}`,
  network,
  address: `10.0.2.${n + 3}`,
  allow: [
    { direction: 'out', protocol: 'udp', remote: ['10.0.1.10/32'], port: 51_820, reason: 'door' },
    {
      direction: 'out',
      protocol: 'tcp',
      remote: [`10.0.2.${n === 1 ? 5 : 4}/32`],
      port: 7001,
      reason: 'ring',
    },
    { direction: 'in', protocol: 'tcp', remote: ['10.0.0.0/16'], port: 9042, reason: 'CQL' },
  ],
});
const other = (id: string, kind: WorldMachine['kind'], network: string, address: string): WorldMachine => ({
  id,
  kind,
  hostname: id,
  network,
  address,
  allow: null,
});

/** Two customers with the same address plan, a cluster each. */
const machines = [
  ...['a', 'b'].flatMap((network) => [
    node(network, 1),
    node(network, 2),
    other(`app-${network}`, 'application', network, '10.0.3.254'),
  ]),
  other('op-a', 'operator', 'provider', '172.31.1.4'),
  other('op-b', 'operator', 'provider', '172.31.1.5'),
  other('control', 'control-door', 'provider', '172.31.0.4'),
  other('gate', 'gate', 'provider', '172.31.3.4'),
  other('storage', 'storage', 'provider', '172.31.4.4'),
];
/** Of cluster a's operator alone. */
const account = {
  ...{ name: 'logs.blob.core.windows.net', address: '172.31.4.4', port: 10_000 },
  ask: { method: 'GET', path: '/sallyport-verify' },
};
const gates = [
  {
    ...{ operator: 'op-a', authority: 'PEM', accounts: [account] },
    others: [
      { name: 'evil.blob.core.windows.net', address: '172.31.4.4', port: 10_000, shut: false, shared: true },
      { name: 'far.vault.azure.net', address: '10.99.0.4', port: 443, shut: true, shared: false },
    ],
  },
];
const prefixes = ['10.0.0.0/16'];
const subnets = [
  { name: 'pe', prefix: '10.0.1.0/24' },
  { name: 'cass', prefix: '10.0.2.0/24' },
];
const world: VerifyWorld = {
  machines,
  gates,
  links: ['a', 'b'].map((network, n) => ({
    id: `link-${network}`,
    address: '10.0.1.10',
    network,
    port: 51_820,
    open: true,
    destination: `172.31.1.${4 + n}`,
  })),
  canaries: { ipv4: ['192.0.2.10', '198.51.100.10', '203.0.113.10'], ipv6: ['2001:db8::10'] },
  networks: ['a', 'b'].map((id) => ({ id, prefixes, subnets })),
  recorders: [],
  restoreRules: () => Promise.resolve(),
  enter: (id) => {
    const m = machines.find((each) => each.id === id)!;
    const tunnel = `fd00:0:${m.id.includes('b') ? 2 : 1}::${machines.indexOf(m)}`;
    const addresses = [
      { ifname: 'eth0', addr_info: [{ family: 'inet', local: m.address, scope: 'global', prefixlen: 24 }] },
      { ifname: 'wg0', addr_info: [{ family: 'inet6', local: tunnel, scope: 'global', prefixlen: 48 }] },
    ];
    const lines = [
      `show\taddresses\t0\t${JSON.stringify(addresses)}`,
      'show\troutes\t0\t[{"dst":"default","gateway":"10.0.2.1"}]',
      'show\trules\t0\ttable inet door {}',
      'show\tallowed\t0\twg0\\tKEY=\\tfd00:0:1::1/128\\n',
      'show\thandshakes\t0\twg0\\tKEY=\\t1\\n',
    ];
    return Promise.resolve({ stdout: lines.join('\n'), stderr: '', exitCode: 0 });
  },
};
const host = { sockets: ['/tmp/s'], abstract: 's', file: '/tmp/f', secret: 'x', vsock: true };
const nodes = machines.filter((m) => m.kind === 'node');
const operators = machines.filter((m) => m.kind === 'operator');
const log = createLog({}, { write: () => undefined });
const plan = await planRun({
  world,
  nodes,
  operators,
  host,
  program: '',
  gateProgram: { text: '', type: 'module' },
  log,
});
const batchesOf = ({ phases }: Turn) =>
  phases.flatMap(({ batches: each, phase }) => each.map((b) => ({ ...b, phase })));
const batches = batchesOf(plan.nodes);
const operatorBatches = batchesOf(plan.operators);
const tries: readonly { readonly machine: WorldMachine; readonly tried: Try }[] = [
  ...batches,
  ...operatorBatches,
].flatMap(({ machine, batch }) => batch.tries.map((tried) => ({ machine, tried })));

test('every try aims at a documentation range, at the metadata address, or at what is ours', () => {
  const ours = [
    '192.0.2.0/24',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '2001:db8::/32',
    '169.254.169.254/32',
    '10.0.0.0/16',
    '172.31.0.0/16',
    'fd00::/8',
  ];
  for (const { tried } of tries) {
    const to = tried.arguments['to'];
    if (typeof to === 'string') assert.ok(inAnyPrefix(to, ours), `${tried.what} aims at ${to}`);
  }
});

test('no try is what the written allow-list allows', () => {
  for (const { machine, tried } of tries) {
    for (const m of tried.markers) {
      if (m.port === null || tried.verb === 'frame' || m.sources) continue;
      for (const to of m.destinations)
        assert.ok(!isAllowed(machine.allow, to, m.protocol, m.port), `${tried.what} to ${tried.towards}`);
    }
  }
});

test('a port of the run’s own is one try’s only, in all of the run', () => {
  const owners = new Map<number, Try>();
  for (const { tried } of tries) {
    for (const port of new Set(tried.markers.map((m) => m.port))) {
      if (port === null || port < firstPort || port >= 32_000) continue;
      assert.ok(!owners.has(port), `${port} is used twice`);
      owners.set(port, tried);
    }
  }
  assert.ok(owners.size > 500);
});

test('every means of the issue is tried by every node, by both identities, with the rules in force and flushed', () => {
  const means = [
    'TCP',
    'UDP',
    'ICMP',
    'DNS over UDP',
    'DNS over TCP',
    'raw IP',
    'IPv6',
    'AF_PACKET',
    "neighbour's address",
    'through the tunnel',
    'unix socket',
    '/proc',
    'nsenter',
    'AF_VSOCK',
  ];
  const aims = ['metadata', 'subnet pe', 'the door', 'control', "another cluster's operator"];
  for (const { batch, machine, phase } of batches) {
    const name = `${machine.id} ${phase.as} ${phase.rules}`;
    for (const what of means)
      assert.ok(
        batch.tries.some((t) => t.what.includes(what)),
        `${name}: ${what}`,
      );
    for (const aim of aims)
      assert.ok(
        batch.tries.some((t) => t.towards.includes(aim)),
        `${name}: ${aim}`,
      );
    assert.ok(
      phase.as !== 'root' ||
        batch.tries.some((t) => t.towards.includes("another cluster's operator, tunnel address")),
      name,
    );
    encode({}, batch);
  }
  assert.equal(batches.length, 16);
});

test('an operator tries the internet, its neighbours and its customers, by both identities and in both states', () => {
  for (const { batch, machine, phase } of operatorBatches) {
    const name = `${machine.id} ${phase.as} ${phase.rules}`;
    for (const aim of [
      'internet',
      'metadata',
      'control 172.31.0.4',
      "in a customer's network",
      'unix socket',
    ])
      assert.ok(
        batch.tries.some((t) => t.towards.includes(aim) || t.what.includes(aim)),
        `${name}: ${aim}`,
      );
    assert.ok(batch.tries.every((t) => t.by !== 'tunnel'));
    encode({}, batch);
  }
  assert.equal(operatorBatches.length, 8);
});

test('who has a way to accounts tries the gate and what stands behind it; who has none, and a place that is not ours, are left out', () => {
  const all = [...batches, ...operatorBatches];
  for (const { machine, gate, batch, phase } of all) {
    const name = `${machine.id} ${phase.as} ${phase.rules}`;
    const round = batch.tries.filter(({ towards }) => towards.startsWith("an account's service"));
    const has = machine.network === 'a' || machine.id === 'op-a';
    assert.equal(gate !== undefined, has, name);
    assert.equal(
      round.some(({ what }) => what === 'TCP'),
      has,
      name,
    );
    if (!gate) continue;
    // A node dials its operator within the tunnel.
    const tunnel = plan.facts.get('op-a')!.tunnel!.address;
    const way = machine.kind === 'operator' ? { to: '172.31.3.4', port: 443 } : { to: tunnel, port: 443 };
    for (const { order } of [...gate.controls, ...gate.tries])
      assert.deepEqual({ to: order.to, port: order.port }, way, name);
    assert.equal(gate.controls.length, 5);
    // Nodes share the means in each phase, so that none is left out.
    const mates = all.filter((one) => one.phase === phase && one.machine.kind === machine.kind && one.gate);
    const means = new Set(mates.flatMap((one) => one.gate!.tries.map(({ what }) => what)));
    assert.ok(means.size > 50 && gate.tries.length === means.size / mates.length, name);
    assert.ok(!JSON.stringify(batch).includes('10.99.0.4'));
  }
  const aimed = new Set(all.flatMap(({ gate }) => gate?.other?.name ?? []));
  assert.equal(aimed.size, 2, 'in turn at each account of others');
});

test('what root adds for a try is taken back', () => {
  for (const { batch, phase } of [...batches, ...operatorBatches]) {
    if (phase.as !== 'root') continue;
    const orders = batch.preparation.orders;
    const added = orders.filter((o) => o[0] === 'begin' && o.includes('add'));
    const removed = orders.filter((o) => o[0] === 'end');
    assert.ok(
      added.length > 0 &&
        removed.length >=
          added.filter((o) => o[1] !== 'svvlan' && o[1] !== 'svmac' && o[1] !== 'svdum').length - 1,
    );
  }
});
