import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllowRule } from '../exchange/intents/fabric.ts';
import type { Judged } from './judges.ts';
import { shortcuts } from './shortcuts.ts';

const tcp = (direction: 'in' | 'out', port: number, ...remote: string[]): AllowRule => ({
  direction,
  protocol: 'tcp',
  remote,
  port,
  reason: 'a test',
});
const ring = (...peers: readonly string[]): readonly AllowRule[] => [
  { direction: 'out', protocol: 'udp', remote: ['10.0.1.10/32'], port: 51820, reason: 'door' },
  tcp('out', 7001, ...peers),
  tcp('in', 7001, ...peers),
  tcp('in', 9042, '10.0.0.0/16'),
];
const at = (
  device: string,
  address: string,
  allow: Judged['allow'],
  security: readonly string[] = [],
): Judged => ({
  device,
  address,
  allow,
  security,
});
const one = at('m1', '10.0.2.4', ring('10.0.2.5/32'));
const two = at('m2', '10.0.2.5', ring('10.0.2.4'));
const app = at('app', '10.0.3.9', null);

test('pairs that both lists name are decided at once, each direction by its own rule', () => {
  assert.deepEqual(shortcuts([one, two]), [
    'ct direction original meta mark . oifname . ip daddr . tcp dport ' +
      '{ 0x0a000204 . "m2" . 10.0.2.5 . 7001, 0x0a000205 . "m1" . 10.0.2.4 . 7001 } accept',
    'ct direction reply ct state established meta mark . oifname . ip daddr . tcp sport ' +
      '{ 0x0a000204 . "m2" . 10.0.2.5 . 7001, 0x0a000205 . "m1" . 10.0.2.4 . 7001 } accept',
  ]);
});

test('who has no list is held against the other one alone, and two without any are left to the chains', () => {
  const [original, reply] = shortcuts([one, app]);
  assert.match(original!, /{ 0x0a000309 \. "m1" \. 10\.0\.2\.4 \. 9042 } accept$/);
  assert.match(reply!, /{ 0x0a000204 \. "app" \. 10\.0\.3\.9 \. 9042 } accept$/);
  assert.deepEqual(shortcuts([app, { ...app, device: 'other', address: '10.0.3.10' }]), []);
});

test('what one of the two does not name, or a security group judges, has no shortcut', () => {
  const stranger = at('m3', '10.0.2.6', ring('10.0.2.4/31'));
  assert.deepEqual(shortcuts([one, stranger]), [], 'the first does not name the third');
  assert.deepEqual(shortcuts([one, { ...two, security: ['nsg'] }]), []);
  assert.deepEqual(
    shortcuts([at('m1', '10.0.2.4', []), at('m2', '10.0.2.5', [tcp('in', 7001, '10.0.2.4')])]),
    [],
  );
});

test('a network too large for a table of pairs is judged by its chains', () => {
  const nodes = (count: number): readonly Judged[] => {
    const addresses = Array.from({ length: count }, (_, index) => `10.0.2.${index + 4}`);
    return addresses.map((address, index) => at(`m${index}`, address, ring(...addresses)));
  };
  assert.equal(shortcuts(nodes(12)).length, 2);
  assert.equal(shortcuts(nodes(60)).length, 0);
});
