import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, type Clock } from '../lib/clock.ts';
import { toyControl } from '../../test/harness/toy-control.ts';

test('discovery in both forms, and a token by either', async (t) => {
  const toy = await toyControl(t);
  const { clientId, secret } = toy.parties.customer;
  const { tenantId } = toy.parties;
  const endpoint = `https://127.0.0.1:${toy.control.port}`;
  const about = await toy.call('GET', '/metadata/endpoints', { as: 'nobody', version: '2022-09-01' });
  assert.equal(about.body.authentication.loginEndpoint, `${endpoint}/adfs`);
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
  for (const tenant of ['adfs', `${tenantId}/v2.0`, `${tenantId.toUpperCase()}/v2.0`]) {
    const found = await toy.call('GET', `/${tenant}/.well-known/openid-configuration`, {
      as: 'nobody',
      version: null,
    });
    assert.equal(found.body.issuer.toLowerCase(), `${endpoint}/${tenant}`.toLowerCase());
    assert.equal(
      (await toy.call('GET', new URL(found.body.jwks_uri).pathname, { as: 'nobody', version: null })).body
        .keys[0].d,
      undefined,
    );
    const path = new URL(found.body.token_endpoint).pathname;
    for (const audience of [endpoint, `${endpoint}/`, 'https://management.core.windows.net/']) {
      const { status, body } = await toy.signIn({ ...form, scope: `${audience}/.default` }, path);
      assert.deepEqual([status, body.token_type, body.expires_in], [200, 'Bearer', 3600]);
      assert.equal((await toy.call('GET', '/subscriptions', { token: body.access_token })).status, 200);
    }
  }
  const other = await toy.signIn({ ...form, scope: 'https://elsewhere/.default' });
  assert.deepEqual([other.status, other.body.error], [400, 'invalid_resource']);
});

test('a wrong secret is answered late and a right one at once; unknown clients get the same words', async (t) => {
  const waits: number[] = [];
  // A reconciler's period is waited for as ever.
  const clock: Clock = {
    now: () => systemClock.now(),
    sleep: async (ms, signal) => (ms === 1_000 ? systemClock.sleep(ms, signal) : void waits.push(ms)),
  };
  const toy = await toyControl(t, clock);
  const { clientId, secret } = toy.parties.customer;
  const scope = `https://localhost:${toy.control.port}/.default`;
  const form = { grant_type: 'client_credentials', client_id: clientId, scope };
  const wrong = await toy.signIn({ ...form, client_secret: 'not this one at all' });
  const unknown = await toy.signIn({
    ...form,
    client_id: '00000000-0000-4000-8000-000000000000',
    client_secret: 'x',
  });
  assert.deepEqual([wrong.status, wrong.body.error], [401, 'invalid_client']);
  assert.deepEqual(unknown.body, wrong.body);
  await toy.signIn({ ...form, client_secret: 'nor this one, again' });
  assert.deepEqual(waits, [250, 250, 500]);
  assert.equal((await toy.signIn({ ...form, client_secret: secret })).status, 200);
  assert.equal(waits.length, 3);
  assert.equal(
    (await toy.signIn({ ...form, grant_type: 'password', client_secret: secret })).body.error,
    'unsupported_grant_type',
  );
  assert.equal((await toy.signIn({ ...form, client_secret: '' })).body.error, 'invalid_request');
});

test('tokens that are expired, of another audience or garbage are refused with a challenge; restarts keep good ones', async (t) => {
  let offset = 0;
  const clock: Clock = { now: () => systemClock.now() + offset, sleep: systemClock.sleep };
  const toy = await toyControl(t, clock);
  const token = await toy.token('customer');
  const [head, payload, signature] = token.split('.') as [string, string, string];
  const forged = Buffer.from(
    JSON.stringify({
      ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
      appid: toy.parties.provider.clientId,
    }),
  ).toString('base64url');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const bad of ['garbage', `${head}.${forged}.${signature}`, `${none}.${payload}.`, `${token}x`]) {
    const { status, body, headers } = await toy.call('GET', '/subscriptions', { token: bad });
    assert.deepEqual([status, body.error.code], [401, 'InvalidAuthenticationToken']);
    assert.match(
      headers['www-authenticate'] ?? '',
      /^Bearer authorization_uri="https:.*error="invalid_token"$/,
    );
  }
  await toy.restart();
  assert.equal((await toy.call('GET', '/subscriptions', { token })).status, 200);
  offset = 3_700_000;
  const late = await toy.call('GET', '/subscriptions', { token });
  assert.deepEqual([late.status, late.body.error.code], [401, 'InvalidAuthenticationToken']);
  assert.match(late.body.error.message, /expired/);
});

test('the bootstrap is taken over once and leaves no secret behind', async (t) => {
  const toy = await toyControl(t);
  const { secret } = toy.parties.provider;
  assert.ok(!existsSync(join(toy.folder, 'bootstrap.json')));
  const port = toy.control.port;
  const ca = readFileSync(join(toy.folder, 'authority', 'ca.pem'), 'utf8');
  await toy.restart();
  assert.equal(toy.control.port, port);
  assert.equal(readFileSync(join(toy.folder, 'authority', 'ca.pem'), 'utf8'), ca);
  assert.equal(
    (
      await toy.signIn({
        grant_type: 'client_credentials',
        client_id: toy.parties.provider.clientId,
        client_secret: secret,
        scope: `https://127.0.0.1:${port}/.default`,
      })
    ).status,
    200,
  );
  for (const file of ['sallyport.db', 'sallyport.db-wal', 'config.json'])
    assert.ok(!readFileSync(join(toy.folder, file)).includes(secret), file);
  for (const file of [
    'master.key',
    'config.json',
    'authority/tokens.json',
    'authority/api.json',
    'authority/operators.json',
  ]) {
    assert.equal(statSync(join(toy.folder, file)).mode & 0o077, 0, file);
  }
  assert.ok(!toy.log.join('').includes(secret));
});
