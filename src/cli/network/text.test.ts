import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WhyValue } from './ask.ts';
import { renderWhy } from './text.ts';

const value: WhyValue = {
  state: 'done',
  error: null,
  answer: {
    from: { name: 'dc1-1', address: '10.0.2.4' },
    to: { name: '192.0.2.10', address: '192.0.2.10' },
    protocol: 'tcp',
    port: 443,
    reached: false,
    wall: 'platform policy',
    owner: 'platform',
    rule: null,
    group: null,
    nextHop: { type: 'Internet', address: null, route: null },
    because: "The written policy of dc1-1 names no such flow, and what it doesn't name doesn't leave.",
    change: [],
    never: 'never: platform policy',
  },
  packet: { outcome: 'agrees', text: 'its own machine kept it already (EPERM)' },
};

test('an answer that a packet confirms', () => {
  const text = renderWhy(value, 80);
  assert.match(text, /^dc1-1 \(10\.0\.2\.4\) → 192\.0\.2\.10, tcp 443: NOT reached$/m);
  assert.match(text, /^Wall: platform policy, the platform's$/m);
  assert.match(text, /^What would let it: never: platform policy$/m);
  assert.match(text, /^Packet: confirmed, its own machine kept it already \(EPERM\)$/m);
});

test('a wall that is open comes first, and lines to copy stay whole', () => {
  const open = { outcome: 'opened', text: 'it arrived at the internet' } as const;
  const change = [`az network nsg rule create ${'x'.repeat(100)}`];
  const text = renderWhy({ ...value, answer: { ...value.answer, never: null, change }, packet: open }, 80);
  assert.match(text, /^A WALL IS OPEN THAT SHOULD NOT BE/);
  assert.ok(text.split('\n').includes(`  ${change[0]}`));
  assert.match(renderWhy({ ...value, packet: null }, 80), /Packet: none was sent\./);
});
