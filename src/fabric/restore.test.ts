import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restorePlan, type Snapshot } from './restore.ts';

const link = (ifname: string, up: boolean, ...addresses: string[]) => ({
  ifname,
  flags: up ? ['UP'] : [],
  addr_info: addresses.map((address) => ({
    local: address.split('/')[0]!,
    prefixlen: Number(address.split('/')[1]),
    scope: 'global',
  })),
});
const before: Snapshot = {
  rules: 'table inet door {\n}\n',
  addresses: [link('lo', true), link('eth0', true, '10.0.2.4/24')],
  routes: [
    { dst: 'default', gateway: '10.0.2.1', dev: 'eth0' },
    { dst: '10.0.2.0/24', dev: 'eth0', protocol: 'kernel' },
  ],
};

test('nothing changed: the rules are put in place all the same, in one transaction', () => {
  assert.deepEqual(restorePlan(before, before), {
    links: [],
    addresses: [],
    rules: 'flush ruleset\ntable inet door {\n}\n',
  });
});

test('what root of a machine added goes, what it took away comes back', () => {
  const now: Snapshot = {
    rules: '',
    addresses: [link('lo', true), link('eth0', false, '10.0.2.99/24'), link('dummy0', true, '192.0.2.1/32')],
    routes: [{ dst: '192.0.2.0/24', gateway: '10.0.2.9', dev: 'eth0' }],
  };
  const plan = restorePlan(before, now);
  assert.deepEqual(plan.links, ['link del dummy0', 'link set eth0 up']);
  assert.deepEqual(plan.addresses, [
    'addr del 10.0.2.99/24 dev eth0',
    'addr replace 10.0.2.4/24 dev eth0',
    'route del 192.0.2.0/24 via 10.0.2.9 dev eth0',
    'route replace default via 10.0.2.1 dev eth0',
  ]);
});
