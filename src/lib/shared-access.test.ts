import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { endOfSignature, signForContainer, signToCreateContainers } from './shared-access.ts';

// The real Azurite judges them in test/network/services/roles.test.ts; here is what they say.
const own = { account: 'logs', key: Buffer.from('not a real key, but as long as one').toString('base64') };
const until = Date.parse('2026-12-15T05:00:00.700Z');
const signed = (text: string): string =>
  createHmac('sha256', Buffer.from(own.key, 'base64')).update(text).digest('base64');

test('a right to add is of one container, over https, and ends', () => {
  const signature = signForContainer(own, 'cassandra', until);
  const { sig, ...said } = Object.fromEntries(new URLSearchParams(signature));
  assert.deepEqual(said, {
    ...{ sv: '2021-12-02', spr: 'https', sr: 'c', sp: 'ac', se: '2026-12-15T05:00:00Z' },
  });
  const text = `ac\n\n2026-12-15T05:00:00Z\n/blob/logs/cassandra\n\n\nhttps\n2021-12-02\nc\n\n\n\n\n\n\n`;
  assert.equal(sig, signed(text));
  assert.equal(endOfSignature(signature), until - 700);
  assert.equal(signForContainer(own, 'cassandra', endOfSignature(signature)), signature);
  assert.notEqual(signForContainer({ ...own, key: 'b3RoZXI=' }, 'cassandra', until), signature);
  assert.ok(Number.isNaN(endOfSignature('')));
});

test('a right to make containers is nothing else', () => {
  const { sig, ...said } = Object.fromEntries(new URLSearchParams(signToCreateContainers(own, until)));
  assert.deepEqual(said, {
    ...{ sv: '2021-12-02', spr: 'https', ss: 'b', srt: 'c', sp: 'c', se: '2026-12-15T05:00:00Z' },
  });
  assert.equal(sig, signed('logs\nc\nb\nc\n\n2026-12-15T05:00:00Z\n\nhttps\n2021-12-02\n\n'));
});
