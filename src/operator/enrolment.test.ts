import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import * as tls from 'node:tls';
import type { EnrolmentGrant, EnrolmentRequest } from '../exchange/intents/node.ts';
import { systemClock, until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { createAuthority, createRequest, fingerprint } from '../lib/x509.ts';
import { generateWireguardKeys } from '../network/wireguard-keys.ts';
import { issueForOperator, openAuthorities } from './authorities.ts';
import { createEnrolment } from './enrolment.ts';
import { createEnrolmentServer } from './enrolment-server.ts';
import { seenWithOwnKey, settleMembers } from './members.ts';
import { createRefusals } from './refusals.ts';
import { openBook, type OperatorState } from './state.ts';
import { operatorIntent } from '../../test/harness/operator/shapes.ts';

const log = createLog({}, { write: () => undefined });
const intent = operatorIntent({ nodes: 3 });

/** Node N comes from 127.0.0.(10 + N), as inside the tunnel it would from its one-time address. */
const sourceOf = (node: string): string => `127.0.0.${10 + Number(node.at(-1))}`;

interface World {
  readonly folder: string;
  readonly peers: string[][];
  readonly refused: () => string[];
  readonly state: () => OperatorState;
  readonly authority: string;
  readonly port: number;
  readonly write: (change: (state: OperatorState) => OperatorState) => Promise<unknown>;
  failPeers: boolean;
}

async function world(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'operator-enrolment-'));
  t.after(() => rm(folder, { recursive: true }));
  const authorities = await openAuthorities(join(folder, 'authorities.json'), 'c1', Date.now());
  const book = await openBook(join(folder, 'state.json'), generateWireguardKeys);
  await book.write((state) => settleMembers(state, intent, generateWireguardKeys));
  const refusals = createRefusals({ clock: systemClock, log });
  const peers: string[][] = [];
  const made = { failPeers: false };
  const enrolment = createEnrolment({
    ...{ book, authorities, refusals, log, clock: systemClock },
    cluster: () => intent.cluster,
    memberOf: (state, _prefix, source) =>
      Object.values(state.members).find((member) => sourceOf(member.name) === source),
    applyPeers: async () => {
      if (made.failPeers) throw new Error('no tunnel');
      const members = Object.values(book.read().members);
      peers.push(
        members
          .flatMap((member) => [member.oneTime?.publicKey, member.grant?.publicKey])
          .filter((key) => key !== undefined),
      );
    },
    onGranted: () => undefined,
  });
  const identity = await issueForOperator(authorities, ['127.0.0.1'], Date.now());
  const authority = authorities.exchange.certificate;
  const { server } = createEnrolmentServer({ enrolment, refusals, authority, identity, log });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return Object.assign(made, {
    ...{ folder, peers, authority, write: book.write },
    refused: () => refusals.latest().map((refusal) => refusal.code),
    state: () => book.read(),
    port: (server.address() as AddressInfo).port,
  });
}

interface Said {
  readonly status: number;
  readonly body: EnrolmentGrant & { error?: { code: string; message: string } };
}

function ask(
  at: World,
  source: string,
  body: unknown,
  options: { readonly path?: string; readonly clear?: boolean } = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const base = {
      host: '127.0.0.1',
      port: at.port,
      localAddress: source,
      path: options.path ?? '/enrol',
      method: 'POST',
      agent: false,
    };
    const request = options.clear
      ? http.request(base)
      : https.request({ ...base, ca: at.authority, servername: 'operator', minVersion: 'TLSv1.3' });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: JSON.parse(text) as Said['body'] }),
      );
    });
    request.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

async function requestOf(node: string): Promise<EnrolmentRequest> {
  const [exchange, internode, client] = await Promise.all([1, 2, 3].map(() => createRequest('whatever')));
  return {
    node,
    wireguardPublicKey: generateWireguardKeys().publicKey,
    address: intent.dataCenters[0]!.nodes.find((one) => one.name === node)!.address,
    requests: { exchange: exchange!.request, internode: internode!.request, client: client!.request },
  };
}

test('in the clear the port says its authority and nothing else', async (t) => {
  const at = await world(t);
  const said = await fetch(`http://127.0.0.1:${at.port}/authority`);
  const text = await said.text();
  assert.equal(await fingerprint(text), await fingerprint(at.authority));
  const refused = await ask(at, sourceOf('dc1-0'), await requestOf('dc1-0'), { clear: true });
  assert.equal(refused.body.error!.code, 'TlsRequired');
  assert.deepEqual(at.refused(), ['TlsRequired']);
});

test('a node gets certificates whose names are the intent’s, and its key is a peer before it hears so', async (t) => {
  const at = await world(t);
  const request = await requestOf('dc1-1');
  const { status, body } = await ask(at, sourceOf('dc1-1'), request);
  assert.equal(status, 200);
  assert.equal(body.address, 'fd12:3456:789a:1::2');
  assert.equal(body.exchange.port, 8443);
  const exchange = new X509Certificate(body.exchange.certificate);
  assert.equal(exchange.subject, 'CN=dc1-1');
  assert.ok(exchange.verify(new X509Certificate(body.exchange.authority).publicKey));
  const { certificates } = at.state().members['dc1-1']!.grant!;
  assert.equal(
    new X509Certificate(certificates.internode).subjectAltName,
    'URI:spiffe://sallyport/c1-0a1b2c/node',
  );
  assert.equal(new X509Certificate(certificates.client).subjectAltName, 'DNS:dc1-1, IP Address:10.0.2.5');
  assert.ok(at.peers.at(-1)!.includes(request.wireguardPublicKey));
  assert.ok(
    at.peers.at(-1)!.includes(at.state().members['dc1-1']!.oneTime!.publicKey),
    'the one-time peer still lives',
  );
});

test('the same keys may ask again while the node was not seen, others may not, and then nobody may', async (t) => {
  const at = await world(t);
  const request = await requestOf('dc1-1');
  const first = await ask(at, sourceOf('dc1-1'), request);
  const again = await ask(at, sourceOf('dc1-1'), request);
  assert.deepEqual(again, first);

  const thief = await ask(at, sourceOf('dc1-1'), await requestOf('dc1-1'));
  assert.deepEqual([thief.status, thief.body.error!.code], [403, 'AlreadyEnrolled']);
  const halfThief = await ask(at, sourceOf('dc1-1'), {
    ...(await requestOf('dc1-1')),
    wireguardPublicKey: request.wireguardPublicKey,
  });
  assert.equal(halfThief.body.error!.code, 'AlreadyEnrolled', 'the public key alone is no proof');

  await at.write((state) => seenWithOwnKey(state, request.wireguardPublicKey));
  assert.equal((await ask(at, sourceOf('dc1-1'), request)).body.error!.code, 'OneTimeKeyUsed');
  assert.deepEqual(at.refused(), ['AlreadyEnrolled', 'OneTimeKeyUsed']);
});

test('of two that ask at once with one key, one gets in', async (t) => {
  const at = await world(t);
  const requests = await Promise.all([1, 2, 3, 4].map(() => requestOf('dc1-2')));
  const said = await Promise.all(requests.map((request) => ask(at, sourceOf('dc1-2'), request)));
  assert.deepEqual(said.map((one) => one.status).sort(), [200, 403, 403, 403]);
});

test('wrong name, wrong address, stranger, bad keys, bad requests: refused, named, and nothing is granted', async (t) => {
  const at = await world(t);
  const good = await requestOf('dc1-0');
  const cases: [string, string, unknown][] = [
    ['WrongNode', sourceOf('dc1-1'), good],
    ['WrongAddress', sourceOf('dc1-0'), { ...good, address: '10.0.2.99' }],
    ['Stranger', '127.0.0.99', good],
    ['BadKey', sourceOf('dc1-0'), { ...good, wireguardPublicKey: 'x'.repeat(44) }],
    ['BadKey', sourceOf('dc1-0'), { ...good, wireguardPublicKey: `${'A'.repeat(43)}=` }],
    ['KeyInUse', sourceOf('dc1-0'), { ...good, wireguardPublicKey: at.state().wireguard.publicKey }],
    [
      'KeyInUse',
      sourceOf('dc1-0'),
      { ...good, wireguardPublicKey: at.state().members['dc1-0']!.oneTime!.publicKey },
    ],
    [
      'BadCertificateRequest',
      sourceOf('dc1-0'),
      { ...good, requests: { ...good.requests, client: 'nonsense' } },
    ],
    [
      'BadCertificateRequest',
      sourceOf('dc1-0'),
      { ...good, requests: { ...good.requests, client: tampered(good.requests.client) } },
    ],
    ['BadRequest', sourceOf('dc1-0'), { node: 'dc1-0' }],
    ['BadRequest', sourceOf('dc1-0'), 'no json'],
  ];
  for (const [code, source, body] of cases) {
    const said = await ask(at, source, body);
    assert.equal(said.body.error?.code, code);
    assert.ok(said.status >= 400 && said.status < 500);
    assert.ok(at.refused().includes(code));
  }
  assert.equal((await ask(at, sourceOf('dc1-0'), good, { path: '/else' })).status, 404);
  assert.ok(Object.values(at.state().members).every((member) => member.grant === null));
  assert.equal((await ask(at, sourceOf('dc1-0'), good)).status, 200, 'the node itself still gets in');
});

test('a tunnel that fails asks the node to come again, with the same keys', async (t) => {
  const at = await world(t);
  const request = await requestOf('dc1-0');
  at.failPeers = true;
  const said = await ask(at, sourceOf('dc1-0'), request);
  assert.deepEqual([said.status, said.body.error!.code], [503, 'TryAgain']);
  at.failPeers = false;
  assert.equal((await ask(at, sourceOf('dc1-0'), request)).status, 200);
});

test('what was granted survives a restart, and the same keys still get the same answer', async (t) => {
  const at = await world(t);
  const request = await requestOf('dc1-0');
  await ask(at, sourceOf('dc1-0'), request);
  const reread = await openBook(join(at.folder, 'state.json'), () => assert.fail('keys are made once'));
  assert.deepEqual(reread.read(), at.state());
});

test('a node that believes another authority hangs up, and a handshake that fails is recorded', async (t) => {
  const at = await world(t);
  const other = await createAuthority('other', { days: 1, now: Date.now() });
  const socket = tls.connect({
    host: '127.0.0.1',
    port: at.port,
    ca: other.certificate,
    servername: 'operator',
    minVersion: 'TLSv1.3',
  });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.match(error.code!, /UNABLE_TO_VERIFY|SELF_SIGNED/);
  const old = tls.connect({
    host: '127.0.0.1',
    port: at.port,
    ca: at.authority,
    servername: 'operator',
    maxVersion: 'TLSv1.2',
  });
  await once(old, 'error');
  await until('the refusal of TLS 1.2', () => at.refused().includes('TlsFailed') || undefined, {
    timeoutMs: 3_000,
  });
});

/** Another signature byte: the request no longer proves its key. */
function tampered(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 1]! ^= 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}
