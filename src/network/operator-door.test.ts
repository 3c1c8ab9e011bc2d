import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlayOf, planOperatorDoor, type OperatorDoor } from './operator-door.ts';

const fixed = { device: 'eth0', tunnel: 'wg0', control: { address: '172.31.0.4', ports: [8443, 8440] } };
const door: OperatorDoor = { ...fixed, overlay: overlayOf('fd12:3456:789a::/48') };
const rules = (plan: string, chain: string): string[] =>
  (plan.split(`chain ${chain} {`)[1]!.split('}\n')[0] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

test('each chain drops what it does not name, and one transaction replaces the whole table', () => {
  const plan = planOperatorDoor(door);
  assert.equal(plan.match(/policy drop;/g)?.length, 3);
  assert.doesNotMatch(plan, /policy accept/);
  assert.match(
    plan,
    /^table inet sallyport_operator\ndelete table inet sallyport_operator\ntable inet sallyport_operator \{/,
  );
});

test('a one-time address reaches the enrolment port, a lasting one exchange and MTU probe, nothing is forwarded', () => {
  const plan = planOperatorDoor(door);
  const fromTunnel = rules(plan, 'input').filter((rule) => rule.includes('wg0'));
  assert.deepEqual(fromTunnel, [
    'iifname "wg0" ip6 saddr fd12:3456:789a:e::/64 ip6 daddr fd12:3456:789a::1 tcp dport 8440 counter accept',
    'iifname "wg0" ip6 saddr fd12:3456:789a:1::/64 ip6 daddr fd12:3456:789a::1 tcp dport 8443 counter accept',
    'iifname "wg0" ip6 saddr fd12:3456:789a:1::/64 ip6 daddr fd12:3456:789a::1 udp dport 8441 counter accept',
  ]);
  assert.ok(rules(plan, 'forward').every((rule) => !rule.includes('accept')));
});

test('out go answers, what is for control’s two ports, and questions for nodes’ metrics', () => {
  const accepted = rules(planOperatorDoor(door), 'output').filter((rule) => rule.includes('accept'));
  assert.deepEqual(accepted, [
    'oifname "lo" accept',
    'ct direction reply ct state established accept',
    'meta l4proto { 1, 58 } ct state related accept',
    'oifname "eth0" ip daddr 172.31.0.4 tcp dport { 8443, 8440 } counter accept',
    'oifname "wg0" ip6 saddr fd12:3456:789a::1 ip6 daddr fd12:3456:789a:1::/64 tcp dport 9443 counter accept',
  ]);
});

test('before the cluster’s prefix is known the tunnel lets nothing in', () => {
  const plan = planOperatorDoor({ ...fixed, overlay: undefined });
  assert.doesNotMatch(plan, /wg0/);
  assert.match(plan, /iifname "eth0" udp dport 51820/);
});

test('where there is a gate it is reached on its one port, and enrolled nodes reach what leads to it', () => {
  const gate = { address: '172.31.3.4', port: 443 };
  const added = (chain: string): string[] => {
    const without = rules(planOperatorDoor(door), chain);
    return rules(planOperatorDoor({ ...door, gate }), chain).filter((rule) => !without.includes(rule));
  };
  assert.deepEqual(added('output'), ['oifname "eth0" ip daddr 172.31.3.4 tcp dport 443 counter accept']);
  assert.deepEqual(added('input'), [
    'iifname "wg0" ip6 saddr fd12:3456:789a:1::/64 ip6 daddr fd12:3456:789a::1 tcp dport 443 counter accept',
  ]);
  assert.deepEqual(added('forward'), []);
});
