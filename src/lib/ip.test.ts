import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  containsAddress,
  containsPrefix,
  formatPrefix,
  inAnyPrefix,
  overlaps,
  parsePrefix,
  ulaHost,
} from './ip.ts';

test('a prefix is canonical or it is none', () => {
  assert.equal(formatPrefix(parsePrefix('10.0.2.0/24')!), '10.0.2.0/24');
  for (const wrong of [
    '10.0.2.1/24',
    '10.0.2.0/33',
    '10.0.2.0',
    '10.0.256.0/24',
    '',
    '::/0',
    '10.0.2.0/24 ',
  ]) {
    assert.equal(parsePrefix(wrong), undefined, wrong);
  }
  assert.equal(formatPrefix(parsePrefix('0.0.0.0/0')!), '0.0.0.0/0');
});

test('containment and overlap', () => {
  const net = parsePrefix('10.0.0.0/16')!;
  const subnet = parsePrefix('10.0.255.0/24')!;
  assert.ok(containsPrefix(net, subnet));
  assert.ok(!containsPrefix(subnet, net));
  assert.ok(overlaps(subnet, net));
  assert.ok(!overlaps(parsePrefix('10.1.0.0/16')!, net));
  assert.ok(containsAddress(net, '10.0.255.255'));
  assert.ok(!containsAddress(net, '10.1.0.0'));
  assert.ok(inAnyPrefix('2001:db8::5', ['10.0.0.0/8', '2001:db8::/32']));
  assert.ok(!inAnyPrefix('11.0.0.1', ['10.0.0.0/8']));
});

test('tunnel addresses', () => {
  assert.equal(ulaHost('fd12:3456:789a::/48', 0, 1), 'fd12:3456:789a::1');
  assert.equal(ulaHost('fd12:3456:789a::/48', 0xe, 17), 'fd12:3456:789a:e::11');
});
