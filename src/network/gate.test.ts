import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { GateAccount, GateCluster } from '../exchange/intents/gate.ts';
import { createAuthority, issue } from '../lib/x509.ts';
import { gateConfiguration, grantsOf, judgeGate, planGate } from './gate.ts';
import { flawOfAccount } from './gate-names.ts';

let authority = '';
let key = '';
let leaf = '';
before(async () => {
  const made = await createAuthority('test', { days: 1, now: Date.now() });
  authority = made.certificate;
  key = made.privateKey;
  const profile = { commonName: 'x', use: ['server'] as const, days: 1, now: Date.now() };
  leaf = (await issue(made, profile)).certificate;
});

const account = (change: Partial<GateAccount> = {}): GateAccount => ({
  name: 'logs.blob.core.windows.net',
  enabled: true,
  upstream: { address: '10.1.0.4', port: 443, authority },
  rules: [{ methods: [], path: null }],
  ...change,
});
const cluster = (change: Partial<GateCluster> = {}): GateCluster => ({
  ...{ identity: 'c1', source: '172.31.1.5', port: 20_005, accounts: [account()] },
  ...change,
});
const ground = {
  listen: '0.0.0.0',
  certificate: (identity: string, name: string) => `/keys/${identity}-${name}.pem`,
};
const plan = (...clusters: readonly GateCluster[]) =>
  planGate(judgeGate({ clusters: [...clusters] }).clusters, ground);
const grants = (...accounts: readonly GateAccount[]): readonly string[] =>
  grantsOf([cluster({ accounts: [...accounts] })]).map(({ backend }) => backend);

test('a name is one full host name and nothing else', () => {
  const code = (name: string): string | undefined => flawOfAccount(account({ name }))?.code;
  for (const name of [
    'logs.blob.core.windows.net',
    'a.b',
    'xn--bcher-kva.example',
    '1.example',
    `${'a'.repeat(63)}.example`,
  ])
    assert.equal(code(name), undefined, name);
  for (const name of [
    ...[
      '',
      'logs',
      '*.blob.core.windows.net',
      'logs.blob.core.windows.net.',
      '.a.b',
      'a..b',
      'A.b',
      '-a.b',
      'a-.b',
    ],
    ...[
      '10.0.0.1',
      '1.2',
      '::1',
      '[::1]',
      'a.b:443',
      'a.b/c',
      'a@b.c',
      'a.b\n',
      'a b.c',
      'a_b.c',
      'bücher.example',
    ],
    ...[`${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}b`],
  ])
    assert.equal(code(name), 'BadName', name);
});

test('a place is an address, and its authority a certificate that may sign', () => {
  const code = (upstream: Partial<GateAccount['upstream']>): string | undefined =>
    flawOfAccount(account({ upstream: { ...account().upstream, ...upstream } }))?.code;
  assert.equal(code({ address: 'fd00::4' }), undefined);
  for (const address of ['localhost', '10.1.0.4:1', '10.1', '10.1.0.4 check', 'fe80::1%eth0', ''])
    assert.equal(code({ address }), 'BadUpstream', address);
  for (const pem of ['', 'x', leaf, key, authority.replace('M', '!')])
    assert.equal(code({ authority: pem }), 'BadAuthority');
});

test('a path that bounds is written plainly', () => {
  const code = (path: string): string | undefined =>
    flawOfAccount(account({ rules: [{ methods: [], path }] }))?.code;
  for (const path of ['/logs', '/$web/a.b', '/a/..b/~c_d-e']) assert.equal(code(path), undefined, path);
  for (const path of [
    '',
    '/',
    'logs',
    '/logs/',
    '//logs',
    '/a/../b',
    '/a/.',
    '/a b',
    "/a'b",
    '/a"b',
    '/a%2fb',
    '/a{b',
    '/a\n',
  ])
    assert.equal(code(path), 'BadPath', path);
  assert.equal(flawOfAccount(account({ rules: [] }))?.code, 'NoRule');
});

test('what is written twice, or shared, lets nothing through', () => {
  const twice = judgeGate({ clusters: [cluster({ accounts: [account(), account()] })] });
  assert.deepEqual(twice.clusters[0]?.accounts, []);
  assert.equal(twice.flaws[0]?.error.code, 'TwinAccounts');
  for (const other of [
    { source: '172.31.1.6', port: 1 },
    { identity: 'c2', port: 1 },
    { identity: 'c2', source: '172.31.1.6' },
  ]) {
    const shared = judgeGate({ clusters: [cluster(), cluster(other)] });
    assert.deepEqual(shared.clusters, []);
    assert.deepEqual(
      shared.flaws.map(({ error }) => error.code),
      ['TwinClusters', 'TwinClusters'],
    );
  }
});

test('a grant is all of what it lets through: another rule, place, cluster or source is another grant', () => {
  const one = grants(account());
  assert.deepEqual(grants(account(), account({ name: 'b.example' })).slice(0, 1), one);
  const others = [
    grants(account({ name: 'b.example' })),
    grants(account({ rules: [{ methods: ['GET'], path: null }] })),
    grants(account({ rules: [{ methods: [], path: '/a' }] })),
    grants(account({ upstream: { ...account().upstream, port: 444 } })),
    grants(account({ upstream: { ...account().upstream, address: '10.1.0.5' } })),
    grantsOf([cluster({ identity: 'c2' })]).map(({ backend }) => backend),
    grantsOf([cluster({ source: '172.31.1.6' })]).map(({ backend }) => backend),
  ].flat();
  assert.equal(new Set([...one, ...others]).size, others.length + 1);
  assert.deepEqual(
    grants(account({ rules: [{ methods: ['PUT', 'GET'], path: null }] })),
    grants(account({ rules: [{ methods: ['GET', 'PUT', 'GET'], path: null }] })),
  );
  assert.deepEqual(
    grants(
      account({
        rules: [
          { methods: ['GET'], path: '/a' },
          { methods: [], path: null },
        ],
      }),
    ),
    one,
  );
});

test('a key that came along with a certificate goes no further', () => {
  const both = plan(
    cluster({ accounts: [account({ upstream: { ...account().upstream, authority: key + authority } })] }),
  );
  assert.doesNotMatch(JSON.stringify(both), /PRIVATE KEY/);
  assert.deepEqual(both.files, plan(cluster()).files);
});

test('what is not enabled has no grant, and a cluster without one no frontend', () => {
  assert.doesNotMatch(
    plan(cluster({ accounts: [account({ enabled: false })] })).files[gateConfiguration]!,
    /frontend|backend/,
  );
});

/** Words that mean something to HAProxy, to its files, or to a shell; and any text. */
const evil = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...[
          'a',
          'b.c',
          '.',
          '..',
          '/',
          '\n',
          '\r',
          ' ',
          '#',
          '"',
          "'",
          '\\',
          '$HOME',
          '${HOME}',
          '%[src]',
          '{',
          '}',
          '!',
          ',',
          ':',
        ],
        ...[
          'bind *:1',
          'use_backend x',
          'frontend x',
          'accept',
          '../../etc/passwd',
          '\u2028',
          '\0',
          '*',
          'ı',
          'K',
        ],
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);
const ruleOf = fc.record({
  methods: fc.array(fc.constantFrom('GET' as const, 'PUT' as const)),
  path: fc.oneof(
    { weight: 6, arbitrary: fc.constant('/logs/a') },
    { weight: 4, arbitrary: fc.constant(null) },

    evil,
    evil.map((text) => `/${text}`),
  ),
});
const accountOf = fc.record({
  name: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('a.example', 'b.example', 'c.example') },
    evil,
    evil.map((text) => `${text}.example`),
    evil.map((text) => `a.${text}`),
  ),
  enabled: fc.boolean(),
  upstream: fc.record({
    address: fc.oneof(evil, { weight: 9, arbitrary: fc.ipV4() }, { weight: 2, arbitrary: fc.ipV6() }),
    port: fc.integer({ min: 1, max: 65_535 }),
    authority: fc.oneof(
      { weight: 6, arbitrary: fc.constant('good') },
      evil,
      fc.constant('good'),
      evil.map((text) => `good${text}`),
    ),
  }),
  rules: fc.array(ruleOf, { minLength: 1, maxLength: 2 }),
});
const clusterOf = fc.record({
  identity: fc.oneof(evil, { weight: 6, arbitrary: fc.constantFrom('c1', 'c2', 'c3') }),
  source: fc.oneof(evil, { weight: 9, arbitrary: fc.ipV4() }),
  port: fc.integer({ min: 1_024, max: 65_535 }),
  accounts: fc.array(accountOf, { maxLength: 4 }),
});

/** Each line of a configuration that a plan may make, and no more. */
const shapes: readonly RegExp[] = [
  /^$/,
  /^(frontend f|backend [gh])_[0-9a-f]{20}$/,
  /^ {2}bind ipv4@0\.0\.0\.0:\d+ ssl crt-list f_[0-9a-f]{20}\.crt alpn http\/1\.1 strict-sni$/,
  /^ {2}maxconn 200$/,
  /^ {2}tcp-request connection reject unless \{ src \d+\.\d+\.\d+\.\d+ \}$/,
  /^ {2}http-request set-var\(txn\.(sni|host)\) \S+$/,
  /^ {2}http-request set-var\(txn\.no\) str\((target|host|port|upgrade|disguise|grant)\) if !\{ var\(txn\.no\) -m found \} [^'"$#\\]+$/,
  /^ {2}http-request set-var\(txn\.grant\) var\(txn\.sni\),map_str\(f_[0-9a-f]{20}\.map\)$/,
  /^ {2}http-request set-var\(txn\.grant\) str\(g_[0-9a-f]{20}\) if !\{ var\(txn\.grant\) -m found \} \{ var\(txn\.sni\) -m str [a-z0-9.-]+ \}( \{ method [A-Z ]+ \})?( \{ path,concat\(\/\) -m beg '[A-Za-z0-9._~$/-]+\/' \} !\{ path -m reg -i '[^']+' \})?$/,
  /^ {2}http-request deny deny_status 403 content-type text\/plain lf-string "[^"]+" hdr Sallyport-Gate refused if \{ var\(txn\.no\) -m found \}$/,
  /^ {2}use_backend %\[var\(txn\.grant\)\]$/,
  /^ {2}http-request set-header Host [a-z0-9.-]+$/,
  /^ {2}http-response del-header Sallyport-Gate$/,
  /^ {2}http-response deny deny_status 502 if \{ status 101 \}$/,
  /^ {2}server s (ipv4@[\d.]+|ipv6@\[[0-9A-Fa-f:.]+\]):\d+ ssl verify required ca-file a_[0-9a-f]{20}\.pem sni str\(([a-z0-9.-]+)\) verifyhost \2 alpn http\/1\.1 (track h_[0-9a-f]{20}\/s|check check-ssl check-sni \2 check-alpn http\/1\.1 [a-z0-9 ]+)$/,
];

test('no word of an intent becomes a line of its own, or a file of its own', () => {
  let grants = 0;
  fc.assert(
    fc.property(fc.array(clusterOf, { maxLength: 3 }), (drawn) => {
      const clusters = drawn.map((one) => ({
        ...one,
        accounts: one.accounts.map((each) => ({
          ...each,
          upstream: { ...each.upstream, authority: each.upstream.authority.replace('good', authority) },
        })),
      }));
      const made = plan(...clusters);
      grants += made.grants.length;
      const [, sections = ''] = made.files[gateConfiguration]!.split('error-log-format');
      for (const line of sections.split('\n').slice(1))
        assert.ok(
          shapes.some((shape) => shape.test(line)),
          JSON.stringify(line),
        );
      for (const [name, text] of Object.entries(made.files)) {
        assert.match(name, /^(haproxy\.cfg|allowed\.lst|f_[0-9a-f]{20}\.(crt|map)|a_[0-9a-f]{20}\.pem)$/);
        if (name.endsWith('.map')) assert.match(text, /^([a-z0-9.-]+ g_[0-9a-f]{20}\n)*$/);
        if (name.endsWith('.lst')) assert.match(text, /^(g_[0-9a-f]{20}\n)*$/);
        if (name.endsWith('.crt')) assert.match(text, /^(\/keys\/[A-Za-z0-9._-]+\.pem [a-z0-9.-]+\n)*$/);
        if (name.endsWith('.pem'))
          assert.match(text, /^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\n)+$/);
      }
    }),
    { numRuns: 10_000 },
  );
  assert.ok(grants > 1_000, `only ${grants} grants were drawn`);
});
