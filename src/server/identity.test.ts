import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, X509Certificate, createHash, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { createClientCertificate } from '../../test/harness/client-certificate.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { toyControl, type ToyControl } from '../../test/harness/toy-control.ts';

const principals = '/sallyport/identity/principals';
const none = { version: null } as const;

/** Answers late in no time: what is waited for is written down. */
function quick(waits: number[] = []): Clock {
  return {
    now: () => systemClock.now(),
    sleep: async (ms, signal) => (ms === 1_000 ? systemClock.sleep(ms, signal) : void waits.push(ms)),
  };
}

const signIn = (toy: ToyControl, clientId: string, proof: Readonly<Record<string, string>>) =>
  toy.signIn({
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: `https://127.0.0.1:${toy.control.port}//.default`,
    ...proof,
  });

test('a secret is rotated with overlap: two live at a time, a third is refused, the old one ends', async (t) => {
  const toy = await toyControl(t, quick());
  const { clientId, secret } = toy.parties.customer;
  const made = await toy.call('POST', `${principals}/me/secrets`, {
    ...none,
    body: { name: 'next', days: 30 },
  });
  assert.equal(made.status, 201);
  for (const client_secret of [secret, made.body.secret])
    assert.equal((await signIn(toy, clientId, { client_secret })).status, 200);
  const third = await toy.call('POST', `${principals}/me/secrets`, { ...none, body: {} });
  assert.deepEqual([third.status, third.body.error.code], [409, 'Conflict']);
  const shown = await toy.call('GET', `${principals}/me`, none);
  assert.deepEqual(
    shown.body.credentials.map((one: { name: string }) => one.name),
    ['first', 'next'],
  );
  assert.ok(!JSON.stringify([shown.body, toy.log]).includes(made.body.secret));
  const [first, next] = shown.body.credentials;
  assert.equal((await toy.call('DELETE', `${principals}/me/credentials/${first.id}`, none)).status, 204);
  assert.equal(
    (await signIn(toy, clientId, { client_secret: secret })).status,
    401,
    'even if it was known a moment ago',
  );
  assert.equal((await signIn(toy, clientId, { client_secret: made.body.secret })).status, 200);
  const last = await toy.call('DELETE', `${principals}/me/credentials/${next.id}`, none);
  assert.deepEqual([last.status, last.body.error.code], [409, 'Conflict']);
});

test('the platform makes principals and looks after theirs; nobody else does', async (t) => {
  const toy = await toyControl(t);
  const body = { displayName: 'Pipeline' };
  assert.equal((await toy.call('POST', principals, { ...none, body })).status, 403);
  assert.equal((await toy.call('GET', principals, none)).status, 403);
  const made = await toy.call('POST', principals, { ...none, body, as: 'provider' });
  assert.equal(made.status, 201);
  const { clientId, secret } = made.body;
  const { body: answer } = await signIn(toy, clientId, { client_secret: secret });
  const mine = await toy.call('GET', '/subscriptions', { token: answer.access_token });
  assert.deepEqual(mine.body.value, [], 'it has no role yet');
  assert.equal((await toy.call('GET', `${principals}/${clientId}`, none)).status, 403);
  assert.equal(
    (await toy.call('POST', `${principals}/${clientId}/secrets`, { ...none, body: {} })).status,
    403,
  );
  assert.equal(
    (
      await toy.call('POST', `${principals}/${clientId}/secrets`, {
        ...none,
        body: { days: 0 },
        as: 'provider',
      })
    ).status,
    400,
  );
  assert.equal(
    (await toy.call('POST', `${principals}/${clientId}/secrets`, { ...none, body: {}, as: 'provider' }))
      .status,
    201,
  );
  assert.equal((await toy.call('GET', principals, { ...none, as: 'provider' })).body.value.length, 4);
});

test('an assertion signed by a registered certificate signs in once; each flaw is refused, and none is explained', async (t) => {
  const toy = await toyControl(t, quick());
  const { clientId } = toy.parties.customer;
  const endpoint = `https://127.0.0.1:${toy.control.port}`;
  const { pem, key } = await createClientCertificate();
  const taken = await toy.call('POST', `${principals}/me/certificates`, {
    ...none,
    body: { name: 'ci', pem },
  });
  assert.equal(taken.status, 201);
  for (const bad of ['x', `${pem}${pem}`, '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----'])
    assert.equal(
      (await toy.call('POST', `${principals}/me/certificates`, { ...none, body: { pem: bad } })).status,
      400,
    );

  const now = Math.floor(Date.now() / 1000);
  const der = new X509Certificate(pem).raw;
  const sha = (name: string): string => createHash(name).update(der).digest('base64url');
  const assertion = (
    more: {
      readonly claims?: object;
      readonly header?: object;
      readonly key?: KeyObject;
      readonly alg?: string;
    } = {},
  ): Promise<string> =>
    new SignJWT({
      iss: clientId,
      sub: clientId,
      aud: `${endpoint}/adfs/oauth2/token`,
      exp: now + 600,
      nbf: now - 5,
      jti: randomUUID(),
      ...more.claims,
    })
      .setProtectedHeader({ alg: more.alg ?? 'RS256', 'x5t#S256': sha('sha256'), ...more.header })
      .sign(more.key ?? key);
  const send = async (client_assertion: string, client = clientId): Promise<number> =>
    (
      await signIn(toy, client, {
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })
    ).status;

  const once = await assertion();
  assert.equal(await send(once), 200);
  assert.equal(await send(once), 401, 'a replay');
  await toy.restart();
  assert.equal(await send(once), 401, 'a replay after a restart');
  assert.equal(await send(await assertion({ alg: 'PS256' })), 200);
  assert.equal(
    await send(await assertion({ header: { 'x5t#S256': undefined, x5t: `${sha('sha1')}=` } })),
    200,
    'as MSAL names it for ADFS',
  );
  assert.equal(
    await send(await assertion({ claims: { aud: `${endpoint}/${toy.parties.tenantId}/oauth2/v2.0/token` } })),
    200,
  );

  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  for (const [what, made, client] of [
    ['another key', assertion({ key: stranger })],
    ['another audience', assertion({ claims: { aud: 'https://elsewhere/token' } })],
    ['expired', assertion({ claims: { exp: now - 600 } })],
    ['good for a day', assertion({ claims: { exp: now + 86_400 } })],
    ['without jti', assertion({ claims: { jti: undefined } })],
    ['another issuer', assertion({ claims: { iss: randomUUID() } })],
    [
      'another client',
      assertion({ claims: { iss: toy.parties.provider.clientId, sub: toy.parties.provider.clientId } }),
      toy.parties.provider.clientId,
    ],
    ['another client in the form', assertion(), toy.parties.provider.clientId],
    ['another thumbprint', assertion({ header: { 'x5t#S256': 'AAAA' } })],
    ['another algorithm', assertion({ alg: 'RS512' })],
    [
      'no signature',
      Promise.resolve(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${once.split('.')[1]}.`),
    ],
    ['no JWT', Promise.resolve('nonsense')],
  ] as const) {
    assert.equal(await send(await made, client), 401, what);
  }
  await toy.call('DELETE', `${principals}/me/credentials/${taken.body.id}`, none);
  assert.equal(await send(await assertion()), 401, 'the certificate is gone');
});

test('guessing is slowed down by source, whatever client is guessed at; who is at home passes', async (t) => {
  const waits: number[] = [];
  const toy = await toyControl(t, quick(waits));
  const { clientId, secret } = toy.parties.customer;
  assert.equal((await signIn(toy, clientId, { client_secret: secret })).status, 200);
  for (let n = 0; n < 25; n++) await signIn(toy, randomUUID(), { client_secret: 'guess' });
  assert.equal(waits.at(-1), 4_000);
  assert.equal((await signIn(toy, clientId, { client_secret: 'wrong' })).status, 401);
  assert.equal(waits.at(-1), 4_000, 'the first wrong one of this client, and the 26th of this source');
  assert.equal((await signIn(toy, clientId, { client_secret: secret })).status, 200);
  assert.ok(toy.log.some((line) => line.includes('sign-in refused') && line.includes(clientId)));
});

test('the look-ups of Graph that a role assignment makes', async (t) => {
  const toy = await toyControl(t);
  const cosmos = 'a232010e-820c-4083-83bb-3ace5fc29d0b';
  const at = '/graph/v1.0';
  const asked = `${at}/servicePrincipals?$filter=${encodeURIComponent(`servicePrincipalNames/any(c:c eq '${cosmos}')`)}`;
  const found = await toy.call('GET', asked, none);
  assert.deepEqual([found.body.value[0].appId, found.body.value[0].displayName], [cosmos, 'Azure Cosmos DB']);
  const { id } = found.body.value[0];
  assert.notEqual(id, cosmos);
  const many = await toy.call('POST', `${at}/directoryObjects/getByIds`, {
    ...none,
    body: { ids: [id, randomUUID()], types: ['servicePrincipal'] },
  });
  assert.deepEqual(
    many.body.value.map((one: { id: string }) => one.id),
    [id],
  );
  assert.equal(
    (await toy.call('GET', `${at}/servicePrincipals`, none)).status,
    400,
    'nobody lists who else there is',
  );
  assert.equal((await toy.call('GET', `${at}/servicePrincipals/${id}`, none)).body.appId, cosmos);
  const scope = `https://127.0.0.1:${toy.control.port}/graph//.default`;
  const { clientId, secret } = toy.parties.customer;
  assert.equal((await signIn(toy, clientId, { client_secret: secret, scope })).status, 200);

  // As the guides do it: az takes the id itself where Graph does not answer.
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  for (const principalId of [id, cosmos]) {
    const body = {
      properties: {
        roleDefinitionId: `${sub}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7`,
        principalId,
      },
    };
    const made = await toy.call(
      'PUT',
      `${sub}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      { body },
    );
    assert.equal(
      made.body.properties?.principalId ?? made.body.error.code,
      principalId === id ? id : 'RoleAssignmentExists',
    );
  }
});
