import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountRows, gateFault } from './gate-accounts.ts';

const operators = [{ identity: 'i1', cluster: '/subscriptions/s/c1' }];
const account = {
  state: 'open',
  sent: 7,
  received: 8,
  upstream: 'down',
  error: { code: 'UpstreamDown', message: 'It is down.' },
};

test('each account is a row, under its cluster’s name', () => {
  const gate = {
    error: null,
    clusters: { i1: { authority: '', error: null, accounts: { 'a.example': account } } },
  };
  assert.deepEqual(accountRows({ gate, operators }), [
    {
      account: 'a.example',
      cluster: 'c1',
      state: 'open',
      service: 'down',
      sent: 7,
      received: 8,
      why: 'It is down.',
    },
  ]);
  assert.equal(gateFault({ gate }), undefined);
});

test('where there is no gate, or it is silent, nothing is shown', () => {
  for (const gate of [null, { state: 'unheard', error: null }])
    assert.deepEqual(accountRows({ gate, operators }), []);
  assert.deepEqual(accountRows(undefined), []);
  assert.equal(gateFault({ gate: { error: { code: 'x', message: 'It ended.' } } }), 'It ended.');
});
