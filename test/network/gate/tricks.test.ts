import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, request, say, startAccount, startGate, statusOf } from '../../harness/gate.ts';

const good = 'logs.blob.core.windows.net';
const other = 'vault.vault.azure.net';
const attacker = 'attacker.blob.core.windows.net';
const chunked = '5\r\nhello\r\n0\r\n\r\n';
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

interface Trick {
  readonly what: string;
  readonly sni: string | undefined;
  readonly text: string;
  /** As the gate names it. */
  readonly code: string;
  /** The same without the trick: it has to pass. */
  readonly control?: string;
  readonly alpn?: readonly string[];
}

const body = { method: 'PUT', body: 'hello', more: ['Content-Length: 5'] };
const asked = (more: readonly string[]): string => request(good, { more });

const tricks: readonly Trick[] = [
  { what: 'a name that is not allowed', sni: attacker, text: request(attacker), code: 'handshake' },
  { what: 'no name', sni: undefined, text: request(good), code: 'handshake' },
  { what: 'a wildcard', sni: '*.blob.core.windows.net', text: request(good), code: 'handshake' },
  { what: 'a parent', sni: 'blob.core.windows.net', text: request(good), code: 'handshake' },
  { what: 'a child', sni: `a.${good}`, text: request(good), code: 'handshake' },
  { what: 'a name with a dot at its end', sni: `${good}.`, text: request(`${good}.`), code: 'handshake' },
  { what: 'domain fronting', sni: good, text: request(attacker), code: 'host' },
  { what: 'fronting with another allowed name', sni: good, text: request(other), code: 'host' },
  { what: 'a dot at the end of Host', sni: good, text: request(`${good}.`), code: 'host' },
  { what: 'a wildcard as Host', sni: good, text: request('*.blob.core.windows.net'), code: 'host' },
  { what: 'an address as Host', sni: good, text: request('127.0.0.1'), code: 'host' },
  { what: 'an IPv6 address as Host', sni: good, text: request('[::1]'), code: 'host' },
  { what: 'an empty Host', sni: good, text: request(''), code: 'host' },
  { what: 'no Host', sni: good, text: 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', code: 'host' },
  { what: 'no Host in HTTP/1.0', sni: good, text: 'GET / HTTP/1.0\r\n\r\n', code: 'host' },
  { what: 'two names in Host', sni: good, text: request(`${good},${attacker}`), code: 'host' },
  { what: 'a user in Host', sni: good, text: request(`${good}@${attacker}`), code: 'host' },
  { what: 'two Hosts', sni: good, text: request(good, { more: [`Host: ${attacker}`] }), code: 'malformed' },
  {
    what: 'another port',
    sni: good,
    text: request(`${good}:8443`),
    code: 'port',
    control: request(`${good}:443`),
  },
  {
    what: 'another server as target',
    sni: good,
    text: request(good, { target: `https://${attacker}/` }),
    code: 'malformed',
  },
  {
    what: 'a target with a server',
    sni: good,
    text: request(good, { target: `https://${good}/` }),
    code: 'target',
  },
  {
    what: 'CONNECT',
    sni: good,
    text: request(good, { method: 'CONNECT', target: `${good}:443` }),
    code: 'target',
  },
  {
    what: 'CONNECT elsewhere',
    sni: good,
    text: request(`${attacker}:443`, { method: 'CONNECT', target: `${attacker}:443` }),
    code: 'target',
  },
  { what: 'TRACE', sni: good, text: request(good, { method: 'TRACE' }), code: 'target' },
  {
    what: 'the whole server',
    sni: good,
    text: request(good, { method: 'OPTIONS', target: '*' }),
    code: 'target',
  },
  { what: 'HTTP/2', sni: good, text: preface, code: 'malformed', alpn: ['h2'] },
  { what: 'HTTP/2 as HTTP/1.1', sni: good, text: preface, code: 'malformed', alpn: ['http/1.1'] },
  {
    what: 'an upgrade to HTTP/2',
    sni: good,
    text: asked(['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']),
    code: 'upgrade',
    control: asked(['X-Upgrade: h2c']),
  },
  { what: 'an upgrade to a tunnel', sni: good, text: asked(['Upgrade: websocket']), code: 'upgrade' },
  {
    what: 'two lengths',
    sni: good,
    text: request(good, { ...body, more: ['Content-Length: 5', 'Content-Length: 0'] }),
    code: 'malformed',
    control: request(good, body),
  },
  {
    what: 'chunks by another name',
    sni: good,
    text: request(good, { method: 'POST', body: chunked, more: ['Transfer-Encoding: xchunked'] }),
    code: 'malformed',
  },
  {
    what: 'chunks of chunks',
    sni: good,
    text: request(good, { method: 'POST', body: chunked, more: ['Transfer-Encoding: identity, chunked'] }),
    code: 'malformed',
  },
  {
    what: 'a header behind a blank',
    sni: good,
    text: asked(['X-A : b']),
    code: 'malformed',
    control: asked(['X-A: b']),
  },
  {
    what: 'another host by the way',
    sni: good,
    text: asked([`X-Forwarded-Host: ${attacker}`]),
    code: 'disguise',
  },
  { what: 'another path by the way', sni: good, text: asked(['X-Original-URL: /x']), code: 'disguise' },
  {
    what: 'another method by the way',
    sni: good,
    text: asked(['X-HTTP-Method-Override: PUT']),
    code: 'disguise',
  },
];

test(
  'one allowed account by SNI and Host passes, and each trick around it is refused',
  { timeout: 120_000 },
  async (t) => {
    const here = {
      good: await startAccount(t, good),
      other: await startAccount(t, other),
      attacker: await startAccount(t, attacker),
    };
    const gate = await startGate(t);
    const port = await freePort();
    const { report } = await gate.intend({
      clusters: [
        { identity: 'c1', source: '127.0.0.1', port, accounts: [here.good.said(), here.other.said()] },
      ],
    });
    assert.equal(report.state, 'passing');
    const to = { port, ca: report.clusters['c1']!.authority };

    // The attacker's account is there to be reached: without the gate these are no failures for want of a server.
    const direct = { port: here.attacker.port, ca: here.attacker.authority.certificate };
    assert.equal(statusOf(await say(direct, attacker, request(attacker))), '200');
    here.attacker.seen.length = 0;

    let refused = 0;
    for (const { what, sni, text, code, control, alpn } of tricks) {
      await t.test(what, async () => {
        assert.equal(statusOf(await say(to, good, control ?? request(good))), '200', 'the positive control');
        const arrived = here.good.seen.length;
        const answer = await say(to, sni, text, alpn ? { ALPNProtocols: [...alpn] } : {});
        refused++;
        assert.doesNotMatch(answer, /HTTP\/1\.1 [123]/);
        assert.equal(here.good.seen.length, arrived, 'nothing reached the account that was named');
        assert.equal(here.attacker.seen.length, 0);
        const status = await gate.told(`refusal ${refused}`, (said) => said.report.refused >= refused);
        assert.equal(status.report.refusals.at(-1)?.code, code, answer);
      });
    }
    assert.equal(here.attacker.seen.length, 0);
    assert.equal(here.other.seen.length, 0);
  },
);

test('what is smuggled behind a body never arrives unjudged', { timeout: 60_000 }, async (t) => {
  const account = await startAccount(t, good);
  const gate = await startGate(t);
  const port = await freePort();
  const { report } = await gate.intend({
    clusters: [{ identity: 'c1', source: '127.0.0.1', port, accounts: [account.said()] }],
  });
  const to = { port, ca: report.clusters['c1']!.authority };
  /** A body of no bytes by its chunks, and of all that follows by its length. */
  const carry = async (inner: string, length: boolean): Promise<readonly (string | undefined)[]> => {
    account.seen.length = 0;
    const text = `0\r\n\r\n${inner}`;
    const lines = [
      'POST / HTTP/1.1',
      `Host: ${good}`,
      ...(length ? [`Content-Length: ${text.length}`] : []),
      'Transfer-Encoding: chunked',
    ];
    const answer = await say(to, good, `${lines.join('\r\n')}\r\n\r\n${text}`);
    assert.ok(account.seen.every(({ bytes, headers }) => bytes === 0 && !headers['content-length']));
    return [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  };
  const inner = (host: string): string => request(host, { target: '/inner' });
  // Without the length it is two requests, each judged by itself.
  assert.deepEqual(await carry(inner(good), false), ['200', '200']);
  assert.equal(account.seen.length, 2);
  assert.deepEqual(await carry(inner(attacker), false), ['200', '403']);
  assert.equal(account.seen.length, 1);
  // With it, the connection ends behind the first.
  for (const host of [good, attacker]) {
    assert.deepEqual(await carry(inner(host), true), ['200']);
    assert.deepEqual(
      account.seen.map(({ url }) => url),
      ['/'],
    );
  }
});

test('methods and paths are bounded, whichever way they are written', { timeout: 60_000 }, async (t) => {
  const account = await startAccount(t, good);
  const gate = await startGate(t);
  const port = await freePort();
  const { report } = await gate.intend({
    clusters: [
      {
        ...{ identity: 'c1', source: '127.0.0.1', port },
        accounts: [
          account.said([
            { methods: ['PUT'], path: '/logs/2026' },
            { methods: ['GET', 'HEAD'], path: '/$web' },
          ]),
        ],
      },
    ],
  });
  const to = { port, ca: report.clusters['c1']!.authority };
  const ask = async (method: string, target: string): Promise<string> => {
    const more = method === 'PUT' ? ['Content-Length: 0'] : [];
    return statusOf(await say(to, good, request(good, { method, target, more })));
  };
  for (const target of [
    '/logs/2026',
    '/logs/2026/',
    '/logs/2026/a%20b',
    '/logs/2026/a?comp=block&sig=..%2F',
    '/logs/2026/a..b',
  ])
    assert.equal(await ask('PUT', target), '200', target);
  assert.equal(await ask('GET', '/$web/index.html'), '200');
  for (const [method, target] of [
    ['GET', '/logs/2026/a'],
    ['DELETE', '/logs/2026/a'],
    ['put', '/logs/2026/a'],
    ['PUT', '/$web/a'],
    ['PUT', '/logs'],
    ['PUT', '/logs/20260'],
    ['PUT', '/other/logs/2026'],
    ['PUT', '/LOGS/2026'],
    ['PUT', '/?/logs/2026'],
    ['PUT', '//logs/2026'],
    ['PUT', '/logs/2026/../../other'],
    ['PUT', '/logs/2026/./a'],
    ['PUT', '/logs/2026/..'],
    ['PUT', '/logs/2026/..;/a'],
    ['PUT', '/logs/2026/%2e%2e/%2E%2e/other'],
    ['PUT', '/logs/2026/..%2f..%2fother'],
    ['PUT', '/logs/2026/..%5c..%5cother'],
    ['PUT', '/logs/2026/..\\other'],
    ['PUT', '/logs/2026//a'],
  ] as const)
    assert.equal(await ask(method, target), '403', `${method} ${target}`);
  assert.equal(account.seen.length, 6);
});

test(
  'a cluster has its own accounts and authority, and comes from its own address',
  { timeout: 60_000 },
  async (t) => {
    const [first, second] = [await startAccount(t, good), await startAccount(t, other)];
    const gate = await startGate(t);
    const ports = [await freePort(), await freePort()] as const;
    const { report } = await gate.intend({
      clusters: [
        { identity: 'c1', source: '127.0.0.11', port: ports[0], accounts: [first.said()] },
        { identity: 'c2', source: '127.0.0.12', port: ports[1], accounts: [second.said()] },
      ],
    });
    const ca = (identity: string): string => report.clusters[identity]!.authority;
    const ask = async (from: string, port: number, authority: string, name: string): Promise<string> =>
      statusOf(await say({ port, ca: authority }, name, request(name), { localAddress: from }));
    assert.equal(await ask('127.0.0.11', ports[0], ca('c1'), good), '200');
    assert.equal(await ask('127.0.0.12', ports[1], ca('c2'), other), '200');
    // Another cluster's account, another cluster's door, another cluster's authority.
    assert.notEqual(await ask('127.0.0.11', ports[0], ca('c1'), other), '200');
    assert.notEqual(await ask('127.0.0.11', ports[1], ca('c2'), other), '200');
    assert.notEqual(await ask('127.0.0.1', ports[0], ca('c1'), good), '200');
    assert.equal(await ask('127.0.0.11', ports[0], ca('c2'), good), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  },
);

test('a service that does not prove its name gets nothing', { timeout: 60_000 }, async (t) => {
  const impostor = await startAccount(t, good, { bearing: other });
  const honest = await startAccount(t, other);
  const stranger = { ...honest.said(), name: 'metrics.monitor.azure.com' };
  const gate = await startGate(t);
  const port = await freePort();
  const account = impostor.said();
  await gate.intend({
    clusters: [{ identity: 'c1', source: '127.0.0.1', port, accounts: [account, honest.said(), stranger] }],
  });
  const { report } = await gate.told(
    'the probes',
    ({ report: { clusters } }) =>
      Object.values(clusters['c1']!.accounts).every(({ upstream }) => upstream !== null) &&
      clusters['c1']!.accounts[good]!.upstream === 'down' &&
      clusters['c1']!.accounts[stranger.name]!.upstream === 'down',
  );
  const to = { port, ca: report.clusters['c1']!.authority };
  assert.equal(statusOf(await say(to, good, request(good))), '503');
  assert.equal(statusOf(await say(to, stranger.name, request(stranger.name))), '503');
  assert.equal(statusOf(await say(to, other, request(other))), '200');
  assert.equal(impostor.seen.length, 0);
  assert.equal(report.clusters['c1']!.accounts[good]!.error?.code, 'UpstreamDown');
  assert.equal(report.clusters['c1']!.accounts[other]!.upstream, 'up');
});
