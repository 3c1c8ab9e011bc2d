import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { toyControl, type ToyControl } from '../../test/harness/toy-control.ts';

/** A control that is impatient and counts strictly. */
async function strict(t: TestContext, config: object): Promise<ToyControl> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-limits-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const toy = await toyControl(t, undefined, folder);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return toy;
}

/** Sends bytes as they are, and gives back everything that comes until the other side closes. */
function raw(toy: ToyControl, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(join(toy.folder, 'authority', 'ca.pem'), 'utf8');
    const socket = connect({ host: '127.0.0.1', port: toy.control.port, ca }, () => socket.write(text));
    let came = '';
    socket.on('data', (chunk: Buffer) => (came += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(came));
  });
}

function refusalIn(came: string): { readonly status: number; readonly code: string } {
  const [head = '', body = ''] = came.split('\r\n\r\n');
  assert.match(head, /x-ms-request-id: [0-9a-f-]{36}/);
  return { status: Number(head.split(' ')[1]), code: JSON.parse(body).error.code };
}

test('slow, half-open and malformed clients get one answer in the form of ARM, and the connection ends', async (t) => {
  const toy = await strict(t, { timeouts: { headersMs: 400, requestMs: 800 } });
  const slowHead = raw(toy, 'GET /subscriptions HTTP/1.1\r\nHost: x\r\n');
  const token = await toy.token('customer');
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}/resourcegroups/g`;
  const slowBody = raw(
    toy,
    `PUT ${sub}?api-version=2024-11-01 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"loc`,
  );
  const silent = new Promise<void>((resolve) => {
    const socket = connectTcp(toy.control.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.on('close', () => resolve());
  });
  assert.deepEqual(refusalIn(await slowHead), { status: 408, code: 'RequestTimeout' });
  assert.deepEqual(refusalIn(await slowBody), { status: 408, code: 'RequestTimeout' });
  await silent;
  assert.deepEqual(refusalIn(await raw(toy, 'NOT HTTP\r\n\r\n')), { status: 400, code: 'BadRequest' });
  const large = await raw(toy, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`);
  assert.deepEqual(refusalIn(large), { status: 431, code: 'RequestHeadersTooLarge' });
  assert.equal((await toy.call('GET', sub)).status, 404, 'nothing came of it');
});

test('one principal is throttled, and others are not; the answer says when to come again', async (t) => {
  const few = { burst: 3, perSecond: 0.01 };
  const toy = await strict(t, { rates: { reads: few, writes: few, deletes: few } });
  for (const left of ['2', '1', '0']) {
    const answer = await toy.call('GET', '/subscriptions');
    assert.deepEqual(
      [answer.status, answer.headers['x-ms-ratelimit-remaining-subscription-reads']],
      [200, left],
    );
  }
  const over = await toy.call('GET', '/subscriptions');
  assert.deepEqual([over.status, over.body.error.code], [429, 'TooManyRequests']);
  assert.ok(Number(over.headers['retry-after']) > 90);
  assert.ok(over.headers['x-ms-correlation-request-id']);
  assert.equal((await toy.call('GET', '/subscriptions', { as: 'provider' })).status, 200);
  assert.equal((await toy.call('GET', '/subscriptions', { as: 'nobody' })).status, 401);
});

test('what is too large is refused with 413, what is unknown is passed on to nobody', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const body = { properties: { template: { resources: [], x: 'y'.repeat(5 << 20) } } };
  const large = await toy.call('PUT', `${sub}/resourceGroups/g/providers/Microsoft.Resources/deployments/d`, {
    body,
  });
  assert.deepEqual([large.status, large.body.error.code], [413, 'RequestTooLarge']);
  for (const path of [
    `${sub}/providers/Microsoft.Compute/virtualMachines`,
    `${sub}/resourceGroups/g/providers/Microsoft.Nope/things/t`,
    `${sub}/nowhere`,
    '/providers/Microsoft.Management/managementGroups',
  ]) {
    const answer = await toy.call('GET', path);
    assert.deepEqual([answer.status, answer.body.error.code], [404, 'NotFound'], path);
    assert.ok(!/\n\s+at /.test(JSON.stringify(answer.body)));
  }
});

test('one run of verify at a time for each caller', async (t) => {
  const toy = await toyControl(t);
  const first = await toy.call('POST', '/sallyport/verify', { as: 'provider' });
  assert.equal(first.status, 202);
  const second = await toy.call('POST', '/sallyport/verify', { as: 'provider' });
  assert.deepEqual(
    [second.status, second.body.error.code, second.headers['retry-after']],
    [429, 'TooManyRequests', '5'],
  );
  assert.match(second.body.error.message, new RegExp(first.body.id));
});
