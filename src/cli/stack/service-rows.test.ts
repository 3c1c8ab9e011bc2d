import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceRows } from './service-rows.ts';

const machine = (kind: string, more: object) => ({
  kind,
  address: '172.31.4.4',
  state: 'running',
  error: null,
  ...more,
});

test('a service answers where it says so and its machine runs, and else there is a reason', () => {
  assert.deepEqual(serviceRows(undefined), []);
  assert.deepEqual(serviceRows({ machines: [machine('gate', {})] } as never), []);
  const of = (more: object) => serviceRows({ machines: [machine('storage', more)] } as never)[0];
  const row = { service: 'storage', address: '172.31.4.4' };
  const well = { answers: true, error: null };
  assert.deepEqual(of({ service: well }), { ...row, answers: 'yes', why: undefined });
  assert.deepEqual(of({ service: { answers: false, error: 'It does not.' } }), {
    ...{ ...row, answers: 'no', why: 'It does not.' },
  });
  assert.equal(of({ state: 'failed', service: well, error: { message: 'It ended.' } })?.why, 'It ended.');
  assert.equal(of({ state: 'unheard' })?.why, 'Its machine is unheard.');
});
