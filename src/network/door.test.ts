import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bornPolicy,
  countRules,
  doorRules,
  doorStates,
  renderDoor,
  type DoorPolicy,
  type DoorState,
} from './door.ts';

const policy = (state: DoorState, change: Partial<DoorPolicy> = {}): DoorPolicy => ({
  state,
  nic: { device: 'eth0', address: '10.0.2.5', prefixLength: 24 },
  endpoint: { address: '10.0.1.10', port: 51820 },
  tunnel: {
    device: 'wg0',
    address: 'fd12:3456:789a:1::1',
    operator: 'fd12:3456:789a::1',
    open: [{ protocol: 'tcp', port: 8443, reason: 'the exchange' }],
  },
  peers: ['10.0.2.6', '10.0.2.7'],
  clients: ['10.0.0.0/16', '10.0.2.0/24'],
  deniedUid: null,
  ...change,
});
const both = { nic: true, tunnel: true };
const flows = (state: DoorState): string[] =>
  doorRules(policy(state)).map(
    ({ direction, device, protocol, port }) => `${direction} ${device} ${protocol} ${port}`,
  );

test('each state names exactly its flows', () => {
  const tunnel = ['out eth0 udp 51820', 'out wg0 tcp 8443'];
  const ring = ['out eth0 tcp 7001', 'in eth0 tcp 7001'];
  assert.deepEqual(flows('born'), []);
  assert.deepEqual(flows('joining'), [...ring, ...tunnel]);
  assert.deepEqual(flows('joined'), ['in eth0 tcp 9042', ...ring, ...tunnel]);
  assert.deepEqual(flows('blocked'), tunnel);
  assert.deepEqual(flows('retired'), []);
  assert.equal(Object.keys(doorStates).length, 5);
});

test('what leads to services is open to who takes part, and only by what the policy names', () => {
  const open: NonNullable<DoorPolicy['tunnel']>['open'] = [
    { protocol: 'tcp', port: 8443, reason: 'the exchange' },
    { protocol: 'tcp', port: 443, reason: 'services', notBlocked: true },
  ];
  const tunnelled = (state: DoorState): number[] =>
    doorRules(policy(state, { tunnel: { ...policy(state).tunnel!, open } }))
      .filter(({ device }) => device === 'wg0')
      .map(({ port, remote }) => (assert.deepEqual(remote, ['fd12:3456:789a::1']), port));
  for (const [state, ports] of [
    ['born', []],
    ['joining', [8443, 443]],
    ['joined', [8443, 443]],
    ['blocked', [8443]],
    ['retired', []],
  ] as const)
    assert.deepEqual(tunnelled(state), ports, state);
});

test('metrics are asked for only of a joined node, and by the operator only in the tunnel', () => {
  const asked = (state: DoorState, metrics?: readonly string[]): string[] =>
    doorRules(policy(state, metrics ? { metrics } : {}))
      .filter(({ port }) => port === 9443)
      .map(({ direction, device, local, remote }) => `${direction} ${device} ${local} from ${remote.join()}`);
  const operator = 'in wg0 fd12:3456:789a:1::1 from fd12:3456:789a::1';
  assert.deepEqual(asked('joined', ['10.0.0.0/16', '10.0.2.0/24']), [
    'in eth0 10.0.2.5 from 10.0.0.0/16',
    operator,
  ]);
  assert.deepEqual(asked('joined', []), [operator]);
  assert.deepEqual(asked('joined'), [], 'a policy of an earlier version');
  for (const state of ['born', 'joining', 'blocked', 'retired'] as const)
    assert.deepEqual(asked(state, ['10.0.0.0/16']), [], state);
  const script = renderDoor(policy('joined', { metrics: ['10.0.0.0/16'] }), both);
  assert.match(
    script,
    /tcp sport 9443 ip6 saddr fd12:3456:789a:1::1 ip6 daddr fd12:3456:789a::1 tcp flags .* accept/,
  );
});

test('every hook of every policy drops what no rule names, and no rule is without addresses', () => {
  const states = fc.constantFrom<DoorState>('born', 'joining', 'joined', 'blocked', 'retired');
  const hooks = fc.record({ nic: fc.boolean(), tunnel: fc.boolean() });
  fc.assert(
    fc.property(states, hooks, fc.boolean(), (state, there, denied) => {
      const script = renderDoor(
        policy(state, { deniedUid: denied ? 999 : null, metrics: ['10.0.0.0/16'] }),
        there,
      );
      const chains = script.split('\n').filter((line) => line.includes('type filter hook'));
      assert.ok(chains.length >= 3);
      assert.ok(chains.every((line) => line.endsWith('policy drop;')));
      const accepts = script.split('\n').filter((line) => line.includes(' accept'));
      const loose = accepts.filter(
        (line) => !/"lo"|arp saddr ip 10\.0\.2\.5 |(d|s)port .* saddr .* daddr /.test(line),
      );
      assert.deepEqual(loose, []);
      assert.equal(script.split('\n').filter((line) => line.startsWith('delete table')).length, 2);
    }),
  );
});

test('before an interface is known only loopback passes', () => {
  assert.equal(countRules(renderDoor(bornPolicy, { nic: false, tunnel: false })), 2);
});

test('an egress hook is made only where its device is', () => {
  assert.match(renderDoor(policy('joined'), both), /egress device "eth0"[\s\S]*egress device "wg0"/);
  assert.doesNotMatch(renderDoor(policy('joined'), { nic: true, tunnel: false }), /egress device "wg0"/);
});

test('answers pass only to flows of the list, and ARP only in the own subnet', () => {
  const script = renderDoor(policy('joined'), both);
  assert.doesNotMatch(script, /related/);
  assert.doesNotMatch(script, /\bct /, 'each packet is judged by itself');
  const answers = script.split('\n').filter((line) => /tcp sport .* accept/.test(line));
  assert.ok(answers.length > 5);
  for (const line of answers)
    assert.match(
      line,
      /tcp flags & \(syn \| ack\) != syn accept/,
      'nothing is begun from the port of a flow',
    );
  assert.match(script, /arp saddr ip 10\.0\.2\.5 arp daddr ip 10\.0\.2\.0\/24 accept/);
});

test('prefixes within another are one: nft refuses sets that overlap', () => {
  assert.match(
    renderDoor(policy('joined'), both),
    /tcp dport 9042 iifname "eth0" ip saddr 10\.0\.0\.0\/16 ip daddr 10\.0\.2\.5/,
  );
});

test("Cassandra's own user is refused the tunnel where the kernel can tell it", () => {
  assert.match(renderDoor(policy('joined', { deniedUid: 999 }), both), /oifname "wg0" meta skuid 999 drop/);
});

test('what is no address never reaches nft', () => {
  const evil = '10.0.0.1 } accept; #';
  assert.throws(() => renderDoor(policy('joined', { peers: [evil] }), both), /can't name/);
  assert.throws(() => renderDoor(policy('joined', { clients: ['0.0.0.0/0; accept'] }), both), /can't name/);
  assert.throws(() => renderDoor(policy('joined', { metrics: ['0.0.0.0/0; accept'] }), both), /can't name/);
  assert.throws(
    () => renderDoor(policy('joined', { endpoint: { address: '10.0.1.10', port: 0 } }), both),
    /can't name/,
  );
  const nic = { device: 'eth0" accept', address: '10.0.2.5', prefixLength: 24 };
  assert.throws(() => renderDoor(policy('joined', { nic }), both), /can't name/);
});
