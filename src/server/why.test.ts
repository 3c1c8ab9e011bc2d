import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { dialler } from '../exchange/client.ts';
import type { FabricMachine } from '../exchange/intents/fabric.ts';
import { toyControl } from '../../test/harness/toy-control.ts';

const machine = (id: string, network: string, address: string): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network,
  subnet: 's',
  address,
  allow: null,
  seed: {},
});
const running = { state: 'running' as const, pid: 1, since: null, error: null };
const heard = { networks: {}, machines: { a: running, b: running }, links: {}, work: {}, limits: [] };
interface Answer {
  readonly document: { readonly work: readonly { readonly id: string; readonly kind: string }[] };
}

test('a question is answered, sent to the fabric as a packet, and confirmed or denied by it', async (t) => {
  const toy = await toyControl(t);
  const label = (of: string) =>
    `/subscriptions/${of}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v`;
  const { provider, customer } = toy.parties;
  const net = (id: string, of: string, prefix: string) => ({
    id,
    label: label(of),
    prefixes: [`${prefix}.0.0/16`],
    subnets: [{ name: 's', prefix: `${prefix}.1.0/24` }],
    internet: false,
  });
  toy.world.fabric = {
    ...toy.world.fabric,
    networks: [net('mine', customer.subscriptionId, '10.0'), net('theirs', provider.subscriptionId, '10.1')],
    machines: [
      machine('a', 'mine', '10.0.1.4'),
      machine('b', 'mine', '10.0.1.5'),
      machine('c', 'theirs', '10.1.1.4'),
    ],
  };
  const fabric = dialler({ socketPath: join(toy.folder, 'doors', 'fabric', 'sock') });
  t.after(() => fabric.close());
  const beat = (work: object = {}) =>
    fabric.json<Answer>(
      'POST',
      '/exchange',
      { seen: null, applied: null, report: { ...heard, work }, waitMs: 0 },
      25_000,
    );
  await beat();
  const ask = (body: unknown, as: 'customer' | 'provider' = 'customer') =>
    toy.call('POST', '/sallyport/why', { body, as });

  const asked = await ask({ from: 'a', to: 'b', port: 22 });
  assert.deepEqual([asked.status, asked.body.state, asked.body.answer.reached], [202, 'sending', true]);
  const path = `/sallyport/why/${asked.body.id}`;
  const probe = { from: 'a', to: '10.0.1.5', protocol: 'tcp', port: 22 };
  assert.deepEqual((await beat()).document.work, [{ id: asked.body.id, kind: 'probe', ...probe }]);
  const deliver = (id: string, result: unknown) =>
    fabric.stream(`/streams/${encodeURIComponent(`probe/${id}`)}`, JSON.stringify(result));
  await assert.rejects(deliver(randomUUID(), {}), /Nobody asked/);
  await assert.rejects(deliver(asked.body.id, { said: 'sent' }), /another result/);
  await deliver(asked.body.id, { said: 'sent', left: true, arrived: ['b'], blind: null });
  const done = (await toy.call('GET', path)).body;
  assert.deepEqual([done.state, done.packet.outcome], ['done', 'agrees']);
  assert.deepEqual((await beat()).document.work, [], 'and is not sent again');

  // A packet that comes where none should is the first thing that is said.
  const odd = await ask({ from: 'a', to: '10.0.1.9', port: 22 });
  assert.equal(odd.body.answer.reached, false);
  await deliver(odd.body.id, { said: 'sent', left: true, arrived: ['b'], blind: null });
  assert.equal((await toy.call('GET', `/sallyport/why/${odd.body.id}`)).body.packet.outcome, 'opened');

  const failed = await ask({ from: 'a', to: 'b', port: 23 });
  await beat({ [failed.body.id]: { state: 'failed', error: { code: 'X', message: 'no' } } });
  const said = (await toy.call('GET', `/sallyport/why/${failed.body.id}`)).body;
  assert.deepEqual([said.state, said.error.code, said.packet], ['failed', 'X', null]);

  // Whose network it isn't neither finds its machines nor reads what others asked.
  assert.equal((await ask({ from: 'c', to: 'internet', port: 22 })).status, 404);
  const theirs = await ask({ from: 'c', to: 'internet', port: 22 }, 'provider');
  assert.equal(theirs.status, 202);
  assert.equal((await toy.call('GET', `/sallyport/why/${theirs.body.id}`)).status, 404);
  assert.equal((await toy.call('GET', path, { as: 'provider' })).status, 200);
  assert.equal((await ask(undefined)).status, 400);
  assert.equal((await ask({ from: 'a', to: 'b' })).status, 400);

  for (let n = 0; n < 4; n++) assert.equal((await ask({ from: 'a', to: 'b', port: 30 + n })).status, 202);
  assert.equal((await ask({ from: 'a', to: 'b', port: 40 })).status, 429);
});
