import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllowRule } from '../exchange/intents/fabric.ts';
import { interfaceTable } from './interface.ts';
import { planInternet, uplinkAddresses } from './internet.ts';
import { mergePrefixes } from './intervals.ts';
import type { DeviceShall } from './namespace.ts';
import { planPrivateLink } from './private-link.ts';
import { planRouter, type RouterPlanInput } from './router.ts';

const cable = (name: string): DeviceShall => ({
  name,
  mac: '02:00:00:00:00:01',
  far: { namespace: 'elsewhere', device: 'far', mac: '02:00:00:00:00:02' },
  sysctls: {},
});
const allow: readonly AllowRule[] = [
  { direction: 'out', protocol: 'udp', remote: ['10.0.1.10/32'], port: 51820, reason: 'door' },
  { direction: 'in', protocol: 'tcp', remote: ['10.0.0.0/16', '10.0.3.0/24'], port: 9042, reason: 'CQL' },
];
const plain = { security: [], routeTable: null };
const input: RouterPlanInput = {
  name: 'vnet-x',
  prefixes: ['10.0.0.0/16'],
  subnets: ['10.0.1.0/24', '10.0.2.0/24'],
  nics: [
    { device: 'mnode', address: '10.0.2.4', allow, cable: cable('mnode'), ...plain },
    { device: 'mapp', address: '10.0.2.9', allow: null, cable: cable('mapp'), ...plain },
    { device: 'mdown', address: '10.0.2.10', allow: [], cable: null, ...plain },
  ],
  consumers: [{ cable: cable('clink'), address: '10.0.1.10', port: 51820, security: [] }],
  providers: [],
  internet: null,
  peers: [],
  groups: {},
  routeTables: {},
  names: { serviceTags: {}, members: {} },
};
const tableOf = (plan: ReturnType<typeof planRouter>, name: string): string =>
  plan.tables.find((table) => table.name === name)?.body ?? '';

test('every chain of a router that decides drops what nothing names', () => {
  const bodies = planRouter(input).tables.filter(({ name }) => name === 'router' || name.startsWith('nic_'));
  assert.equal(bodies.length, 3);
  for (const { body } of bodies) {
    for (const [, policy] of body.matchAll(/hook \w+ .*policy (\w+);/g)) assert.equal(policy, 'drop');
  }
});

test('a router asks nobody where a running machine is', () => {
  assert.deepEqual(planRouter(input).neighbours, [
    '169.254.1.1 lladdr 02:00:00:00:00:02 dev clink',
    '10.0.2.4 lladdr 02:00:00:00:00:02 dev mnode',
    '10.0.2.9 lladdr 02:00:00:00:00:02 dev mapp',
  ]);
});

test('what comes out of a bounded interface is matched without memory, replies of what is let in included', () => {
  const body = interfaceTable({ device: 'm1', address: '10.0.2.4', allow }).body;
  const accepts = body.split('\n').filter((line) => line.endsWith('accept'));
  assert.deepEqual(
    accepts.map((line) => line.trim()),
    [
      'udp dport 51820 ip daddr { 10.0.1.10/32 } accept',
      'tcp sport 9042 ip daddr { 10.0.0.0/16 } accept',
      'ether type arp arp saddr ip { 0.0.0.0, 10.0.2.4 } accept',
    ],
  );
});

test('an empty allow-list lets nothing out, and none at all lets out what is IPv4 and its own', () => {
  const accepts = (rules: readonly AllowRule[] | null) =>
    interfaceTable({ device: 'm1', address: '10.0.2.4', allow: rules })
      .body.split('\n')
      .filter((line) => line.endsWith('accept') && !line.includes('arp')).length;
  assert.equal(accepts([]), 0);
  assert.equal(accepts(null), 1);
});

test('an interface that is not running keeps its rules in the router, and has no route', () => {
  const plan = planRouter(input);
  assert.match(tableOf(plan, 'router'), /chain out_original_mdown/);
  assert.ok(!plan.routes.some((route) => route.includes('mdown')));
  assert.ok(plan.routes.includes('10.0.2.4/32 dev mnode'));
  assert.ok(plan.routes.includes('blackhole 10.0.0.0/16'), 'an address that nobody owns leads nowhere');
  assert.ok(plan.routes.includes('blackhole 169.254.0.0/16'));
});

test('a network without a way out has neither a default route nor a rule for one', () => {
  const closed = planRouter(input);
  assert.ok(!closed.routes.some((route) => route.startsWith('default')));
  assert.doesNotMatch(tableOf(closed, 'router'), /inet0|snat/);
  const open = planRouter({ ...input, internet: { cable: cable('inet0'), ...uplinkAddresses(0) } });
  assert.ok(open.routes.includes('default via 100.64.0.1 dev inet0'));
  assert.match(
    tableOf(open, 'router'),
    /oifname "inet0" ip daddr != { 0\.0\.0\.0\/8, 10\.0\.0\.0\/8, .* } accept/,
  );
});

test('a private endpoint takes one UDP port and no other', () => {
  const lines = tableOf(planRouter(input), 'router')
    .split('\n')
    .filter((line) => line.includes('oifname "clink"'));
  assert.deepEqual(
    lines.map((line) => line.trim()),
    ['oifname "clink" ip daddr 10.0.1.10 udp dport 51820 accept comment "private endpoint"'],
  );
});

test('prefixes are merged where one holds another, for nft refuses overlaps', () => {
  assert.deepEqual(mergePrefixes(['10.0.2.0/24', '10.0.0.0/16', '10.0.2.4', '10.1.0.0/16', '10.1.0.0/16']), [
    '10.0.0.0/16',
    '10.1.0.0/16',
  ]);
  assert.throws(() => mergePrefixes(['10.0.0.1/16']), /'10.0.0.1\/16' is not an IPv4 prefix/);
});

test('a private link has one way for each direction while open, and none while closed', () => {
  const plan = (open: boolean) =>
    planPrivateLink({
      name: 'link-x',
      consumer: cable('pe0'),
      provider: cable('vop'),
      address: '10.0.1.10',
      natAddress: '172.31.2.4',
      destination: '172.31.1.4',
      port: 51820,
      open,
    });
  const gate = (open: boolean) =>
    plan(open)
      .tables.find(({ name }) => name === 'gate')
      ?.body.split('\n')
      .filter((line) => line.includes('accept')) ?? [];
  assert.equal(gate(false).length, 0);
  assert.equal(gate(true).length, 2);
  assert.match(
    gate(true)[0]!,
    /iifname "pe0" oifname "vop" .*udp dport 51820 ct direction original ct status dnat accept/,
  );
  assert.match(
    gate(true)[1]!,
    /iifname "vop" oifname "pe0" .*ct direction reply ct state established accept/,
  );
  const translation = (open: boolean) => plan(open).tables.find(({ name }) => name === 'link');
  assert.deepEqual(
    translation(true),
    translation(false),
    'closing leaves the translation, so that opening restores the flow',
  );
  assert.deepEqual(
    plan(true).rules,
    ['iif pe0 lookup 100', 'iif vop lookup 200'],
    'the way never depends on addresses, which may be equal',
  );
});

test('the internet passes nothing on', () => {
  const plan = planInternet([{ cable: cable('n1'), address: '100.64.0.1' }]);
  assert.equal(plan.sysctls['ipv4/ip_forward'], '0');
  assert.match(plan.tables[0]!.body, /hook forward .*policy drop;\n  }/);
  assert.deepEqual(uplinkAddresses(64), { gateway: '100.64.1.1', address: '100.64.1.2' });
});
