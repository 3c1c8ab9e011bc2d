import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberAt, peersOf, seenWithOwnKey, granted, settleMembers, settleRings } from './members.ts';
import { newState, type Grant } from './state.ts';
import { operatorIntent, testKeys } from '../../test/harness/operator/shapes.ts';

const prefix = 'fd12:3456:789a::/48';
const grant = (publicKey: string): Grant => ({
  publicKey,
  keyDigests: { exchange: 'e', internode: 'i', client: 'c' },
  certificates: { exchange: '', internode: '', client: '' },
  exchangeFingerprint: '',
  at: '',
});

test('each node has a number for good, and one one-time key', () => {
  const keys = testKeys();
  const state = settleMembers(newState(keys()), operatorIntent({ nodes: 3 }), keys);
  assert.deepEqual(state.numbers, { 'dc1-0': 1, 'dc1-1': 2, 'dc1-2': 3 });
  assert.equal(
    settleMembers(state, operatorIntent({ nodes: 3 }), keys),
    state,
    'the same intent changes nothing',
  );
  const fewer = settleMembers(state, operatorIntent({ nodes: 2 }), keys);
  assert.deepEqual(Object.keys(fewer.members), ['dc1-0', 'dc1-1']);
  const again = settleMembers(fewer, operatorIntent({ nodes: 3 }), keys);
  assert.equal(again.numbers['dc1-2'], 3);
  assert.notEqual(again.members['dc1-2']!.oneTime!.publicKey, state.members['dc1-2']!.oneTime!.publicKey);
});

test('a granted node has two peers until it was seen with its own key, then one', () => {
  const keys = testKeys();
  let state = settleMembers(newState(keys()), operatorIntent({ nodes: 3 }), keys);
  state = granted(state, 'dc1-1', grant('own'));
  assert.deepEqual(
    peersOf(state, prefix).map((peer) => peer.allowedIps[0]),
    [
      'fd12:3456:789a:e::1/128',
      'fd12:3456:789a:e::2/128',
      'fd12:3456:789a:1::2/128',
      'fd12:3456:789a:e::3/128',
    ],
  );
  state = seenWithOwnKey(state, 'own');
  assert.equal(state.members['dc1-1']!.oneTime, null);
  assert.equal(peersOf(state, prefix).length, 3);
  assert.equal(seenWithOwnKey(state, 'own'), state);
});

test('another machine of the same name is expected anew, under the same number', () => {
  const keys = testKeys();
  let state = settleMembers(newState(keys()), operatorIntent({ nodes: 3 }), keys);
  state = seenWithOwnKey(granted(state, 'dc1-1', grant('own')), 'own');
  const replaced = settleMembers(state, operatorIntent({ nodes: 3, machines: { 'dc1-1': 'm2' } }), keys);
  assert.equal(replaced.members['dc1-1']!.grant, null);
  assert.ok(replaced.members['dc1-1']!.oneTime);
  assert.equal(replaced.numbers['dc1-1'], 2);
  assert.equal(replaced.members['dc1-0'], state.members['dc1-0']);
});

test('an address names its member, however it is spelt', () => {
  const keys = testKeys();
  const state = settleMembers(newState(keys()), operatorIntent({ nodes: 3 }), keys);
  assert.equal(memberAt(state, 'fd12:0056:789a::/48', 'fd12:56:789a:e::2', 'oneTime')?.name, 'dc1-1');
  assert.equal(memberAt(state, prefix, 'fd12:3456:789a:1::3', 'lasting')?.name, 'dc1-2');
  assert.equal(memberAt(state, prefix, 'fd12:3456:789a:1::3', 'oneTime'), undefined);
  assert.equal(memberAt(state, prefix, '::1', 'oneTime'), undefined);
});

test('a data centre made again under its name has another epoch', () => {
  const keys = testKeys();
  const intent = operatorIntent({ nodes: 3 });
  const first = settleRings(newState(keys()), intent);
  assert.equal(settleRings(first, intent), first);
  const gone = settleRings(first, { ...intent, dataCenters: [] });
  assert.deepEqual(gone.rings, {});
  assert.notEqual(settleRings(gone, intent).rings['dc1']!.epoch, first.rings['dc1']!.epoch);
});
