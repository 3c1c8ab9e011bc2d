import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { dialler } from '../exchange/client.ts';
import { createRequest } from '../lib/x509.ts';
import { toyControl, type ToyControl } from '../../test/harness/toy-control.ts';
import { readFileSync } from 'node:fs';

const heard = { networks: {}, machines: {}, links: {}, work: {}, limits: ['no cgroups'] };
const said = {
  wireguard: { publicKey: 'k', listening: true },
  authorities: { internode: 'a', client: 'b', exchange: 'c' },
  dataCenters: [],
  nodes: [],
  refusals: [],
};

/** Whatever was answered: by the exchange, the enrolment, or as a refusal. */
interface Answer {
  readonly revision: string;
  readonly document: {
    readonly work: readonly { readonly id: string }[];
    readonly cluster: { readonly identity: string };
  };
  readonly error: { readonly code: string };
  readonly certificate: string;
  readonly authority: string;
}

/** HTTPS through one of the operators' unix sockets, as control-door forwards it. */
function through(
  toy: ToyControl,
  door: string,
  path: string,
  body: unknown,
  tls: https.RequestOptions,
): Promise<{ status: number; body: Answer }> {
  return new Promise((resolve, reject) => {
    const ca = (
      JSON.parse(readFileSync(join(toy.folder, 'authority', 'operators.json'), 'utf8')) as {
        certificate: string;
      }
    ).certificate;
    const socket = connect(join(toy.folder, 'doors', 'operators', door));
    const request = https.request(
      {
        method: 'POST',
        path,
        ca,
        servername: 'control',
        minVersion: 'TLSv1.3',
        ...tls,
        socket,
        agent: false,
      } as https.RequestOptions,
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }),
        );
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

test('the fabric dials, is handed its intent, tries the doors and hands evidence back', async (t) => {
  const toy = await toyControl(t);
  const network = `/subscriptions/${toy.parties.customer.subscriptionId}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v`;
  toy.world.fabric = {
    ...toy.world.fabric,
    networks: [{ id: 'net-1', label: network, prefixes: ['10.0.0.0/16'], subnets: [], internet: false }],
  };
  const socketPath = join(toy.folder, 'doors', 'fabric', 'sock');
  // Nobody else of the host may speak as the fabric: it is handed one-time secrets, and believed.
  const modes = ['doors', 'doors/fabric', 'doors/fabric/sock', 'doors/operators', 'doors/operators/exchange'];
  assert.deepEqual(
    modes.map((name) => statSync(join(toy.folder, name)).mode & 0o777),
    [0o700, 0o700, 0o600, 0o700, 0o600],
  );
  const fabric = dialler({ socketPath });
  t.after(() => fabric.close());
  const beat = (report: unknown, seen: string | null, waitMs: number) =>
    fabric.json<Answer>('POST', '/exchange', { seen, applied: seen, report, waitMs }, 25_000);
  const first = await beat(heard, null, 0);
  assert.deepEqual(first.document.work, []);
  await assert.rejects(beat({ ...heard, limits: 'many' }, null, 0), /not of its schema: \/limits/);

  // A customer may try its own network's doors; another's or all of them it may not.
  assert.equal((await toy.call('POST', '/sallyport/verify', {})).status, 403);
  assert.equal((await toy.call('POST', '/sallyport/verify', { body: { network: 'net-9' } })).status, 404);
  assert.equal((await toy.call('POST', '/sallyport/verify', { body: { network: 7 } })).status, 400);
  const waiting = beat(heard, first.revision, 20_000);
  const asked = await toy.call('POST', '/sallyport/verify', { body: { network: network.toUpperCase() } });
  assert.deepEqual([asked.status, asked.body.state, asked.body.network], [202, 'queued', 'net-1']);
  const second = await waiting;
  assert.deepEqual(second.document.work, [{ id: asked.body.id, kind: 'verify', network: 'net-1' }]);

  await toy.restart();
  await beat({ ...heard, work: { [asked.body.id]: { state: 'running', error: null } } }, second.revision, 0);
  const path = `/sallyport/verify/${asked.body.id}`;
  assert.equal((await toy.call('GET', path)).body.state, 'running');
  await fabric.stream(
    `/streams/${encodeURIComponent(`verify/${asked.body.id}`)}`,
    JSON.stringify({ proved: true }),
  );
  await assert.rejects(
    fabric.stream(`/streams/${encodeURIComponent(`verify/${randomUUID()}`)}`, '{}'),
    /Nobody asked/,
  );
  await assert.rejects(
    fabric.stream(`/streams/${encodeURIComponent('verify/../../master.key')}`, '{}'),
    /Nobody asked/,
  );
  const last = await beat(
    { ...heard, work: { [asked.body.id]: { state: 'done', error: null } } },
    second.revision,
    0,
  );
  assert.deepEqual(last.document.work, []);
  const run = await toy.call('GET', path, { as: 'provider' });
  assert.deepEqual([run.body.state, run.body.result], ['done', { proved: true }]);

  const status = await toy.call('GET', '/sallyport/status', { as: 'provider' });
  assert.deepEqual(status.body.limits, ['no cgroups']);
  assert.equal(status.body.networks[0].state, 'unheard');
  assert.equal((await toy.call('GET', '/sallyport/status')).status, 403);
});

test('an operator enrols once by its token, and is its certificate from then on', async (t) => {
  const toy = await toyControl(t);
  toy.world.operators.set('token-1', 'cluster-1');
  const { request, privateKey } = await createRequest('whatever it says of itself');
  const enrol = (token: string, what = request) =>
    through(toy, 'enrolment', '/enrol', { cluster: 'c', token, request: what }, {});
  assert.equal((await enrol('token-1', 'nonsense')).status, 400);
  const granted = await enrol('token-1');
  assert.equal(granted.status, 200);
  assert.equal((await enrol('token-1')).status, 200, 'a lost answer is given again');
  const thief = await createRequest('thief');
  const refused = await enrol('token-1', thief.request);
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'TokenRefused']);

  const beat = { seen: null, applied: null, report: said, waitMs: 0 };
  const intent = await through(toy, 'exchange', '/exchange', beat, {
    key: privateKey,
    cert: granted.body.certificate,
  });
  assert.equal(intent.body.document.cluster.identity, 'cluster-1');
  await assert.rejects(through(toy, 'exchange', '/exchange', beat, {}), 'no certificate, no word');
  const gate = readFileSync(join(toy.folder, 'authority', 'gate.json'), 'utf8');
  const { certificate: ca } = JSON.parse(gate) as { certificate: string };
  const asOperator = { key: privateKey, cert: granted.body.certificate, ca };
  await assert.rejects(through(toy, 'gate', '/exchange', beat, asOperator), 'an operator is no gate');
  toy.world.operators.clear();
  assert.equal(
    (await through(toy, 'exchange', '/exchange', beat, { key: privateKey, cert: granted.body.certificate }))
      .status,
    404,
  );
  assert.ok(!toy.log.join('').includes('token-1'));
});

test('a socket left behind by a killed control is taken over', async (t) => {
  const toy = await toyControl(t);
  const socketPath = join(toy.folder, 'doors', 'fabric', 'sock');
  await toy.restart();
  const answer = await new Promise<number>((resolve, reject) => {
    http
      .get({ socketPath, path: '/' }, (response) => resolve(response.resume().statusCode ?? 0))
      .on('error', reject);
  });
  assert.equal(answer, 404);
});
