import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { createAuthority, issue } from '../../lib/x509.ts';
import { exitCodeOf } from '../errors.ts';
import { silent, type Progress } from '../output/progress.ts';
import { apiVersionFor, createArmClient, type ArmClient } from './client.ts';
import { putResource } from './operation.ts';

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Something that answers like control where a test needs just one behaviour of it; the real one is asked in test/. */
async function answering(
  t: TestContext,
  reply: (method: string, url: string, base: string) => Reply,
  trusted = true,
): Promise<{ client: ArmClient; asked: string[] }> {
  const authority = await createAuthority('test', { days: 1, now: Date.now() });
  const { certificate, privateKey } = await issue(authority, {
    commonName: 'localhost',
    ip: ['127.0.0.1'],
    use: ['server'],
    days: 1,
    now: Date.now(),
  });
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    const url = request.url!;
    asked.push(`${request.method} ${url}`);
    const { status, body, headers } = url.includes('/oauth2/')
      ? { status: 200, body: { access_token: 'token' } }
      : reply(request.method!, url, base());
    response
      .writeHead(status, { 'content-type': 'application/json', ...(headers as Record<string, string>) })
      .end(body === undefined ? '' : JSON.stringify(body));
  });
  const base = (): string => `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const other = trusted ? authority : await createAuthority('another', { days: 1, now: Date.now() });
  const session = {
    endpoint: base(),
    authority: other.certificate,
    tenantId: 't',
    clientId: 'c',
    clientSecret: 's',
    subscriptionId: 'sub',
  };
  return {
    client: createArmClient(session, {
      clock: { ...systemClock, sleep: async () => undefined },
      signal: t.signal,
    }),
    asked,
  };
}

const id = '/subscriptions/sub/resourceGroups/g/providers/Microsoft.DocumentDB/cassandraClusters/c1';

test('a long operation is followed to its end, and says what it waits for', async (t) => {
  let polls = 0;
  const { client, asked } = await answering(t, (method, url, base) => {
    if (url.includes('/operationsStatus/'))
      return {
        status: 200,
        body: { status: ++polls < 3 ? 'Dequeued' : 'Succeeded' },
        headers: { 'retry-after': '1' },
      };
    if (method === 'PUT')
      return {
        status: 201,
        body: {},
        headers: {
          'azure-asyncoperation': `${base}/subscriptions/sub/providers/Microsoft.DocumentDB/locations/l/operationsStatus/1?api-version=2026-03-15`,
        },
      };
    return {
      status: 200,
      body: {
        id,
        properties: {
          provisioningState: polls < 3 ? 'Creating' : 'Succeeded',
          waitingFor: 'its operator has not enrolled',
        },
      },
    };
  });
  const said: string[] = [];
  const progress: Progress = { show: (text) => void said.push(text), clear: () => undefined };
  const made = await putResource(client, {}, { what: 'cluster c1', id, progress });
  assert.equal((made['properties'] as Record<string, unknown>)['provisioningState'], 'Succeeded');
  assert.ok(said.includes('cluster c1: its operator has not enrolled'));
  assert.equal(polls, 3);
  assert.equal(asked.filter((line) => line.includes('/oauth2/')).length, 1);
  assert.ok(asked.includes(`PUT ${id}?api-version=2026-03-15`));
});

test('an operation that fails ends with its own code and message', async (t) => {
  const { client } = await answering(t, (method, url, base) => {
    if (url.includes('/operationsStatus/'))
      return {
        status: 200,
        body: { status: 'Failed', error: { code: 'NoRoom', message: 'The subnet is full.' } },
      };
    if (method === 'PUT')
      return { status: 201, body: {}, headers: { 'azure-asyncoperation': `${base}/operationsStatus/1` } };
    return { status: 200, body: { id, properties: {} } };
  });
  await assert.rejects(putResource(client, {}, { what: 'x', id, progress: silent }), {
    code: 'NoRoom',
    message: 'The subnet is full.',
  });
});

test('--no-wait returns the first answer', async (t) => {
  const { client, asked } = await answering(t, () => ({
    status: 201,
    body: { name: 'c1' },
    headers: { 'azure-asyncoperation': 'https://never' },
  }));
  assert.deepEqual(await putResource(client, {}, { what: 'x', id, progress: silent, noWait: true }), {
    name: 'c1',
  });
  assert.equal(asked.length, 2);
});

test('what is not found ends with 3, other refusals with 1', async (t) => {
  const { client } = await answering(t, (_method, url) =>
    url.includes('gone')
      ? { status: 404, body: { error: { code: 'ResourceNotFound', message: 'It is not there.' } } }
      : {
          status: 403,
          body: {
            error: {
              code: 'AuthorizationFailed',
              message: 'No.',
              details: [{ code: 'Why', message: 'Because.' }],
            },
          },
        },
  );
  assert.equal(await client.find('/subscriptions/sub/gone'), undefined);
  const code = (path: string): Promise<number> => client.get(path).then(() => 0, exitCodeOf);
  assert.equal(await code('/subscriptions/sub/gone'), 3);
  assert.equal(await code('/subscriptions/sub/forbidden'), 1);
});

test('a server of another authority is not believed', async (t) => {
  const { client, asked } = await answering(t, () => ({ status: 200, body: {} }), false);
  await assert.rejects(client.get('/subscriptions/sub'), { code: 'ControlNotTrusted' });
  assert.deepEqual(asked, []);
});

test('nobody at the port: start it', async (t) => {
  const { client } = await answering(t, () => ({ status: 200 }));
  const dead = createArmClient(
    { ...client.session, endpoint: 'https://127.0.0.1:1' },
    { clock: systemClock, signal: t.signal },
  );
  await assert.rejects(dead.get('/subscriptions/sub'), { code: 'ControlUnreachable', next: 'sallyport up' });
});

test('pages are followed', async (t) => {
  const { client } = await answering(t, (_method, url, base) =>
    url.includes('page2')
      ? { status: 200, body: { value: [{ name: 'b' }] } }
      : { status: 200, body: { value: [{ name: 'a' }], nextLink: `${base}/page2` } },
  );
  assert.deepEqual(await client.list('/subscriptions/sub/resourceGroups'), [{ name: 'a' }, { name: 'b' }]);
});

test('each provider has the version its clients send', () => {
  assert.equal(apiVersionFor(id), '2026-03-15');
  assert.equal(
    apiVersionFor('/subscriptions/s/resourceGroups/g/providers/microsoft.network/virtualNetworks/v'),
    '2025-07-01',
  );
  assert.equal(apiVersionFor('/subscriptions/s/resourceGroups/g'), '2024-11-01');
});
