import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricIntent } from '../../exchange/intents/fabric.ts';
import type { GateHeard } from './gate-probe.ts';
import { readAnswers } from './http-answers.ts';
import { aimsOf, gatesOfWork } from './gate.ts';
import { gateControls, gateStrays, judgeGate, openedSince, type GatePlayed } from './judge-gate.ts';
import { atOnceOf, gateBatch } from './tries-gate.ts';
import type { WorldMachine } from './world.ts';

const machine: WorldMachine = {
  ...{ id: 'op', kind: 'operator', hostname: 'op', network: 'provider', address: '172.31.1.4', allow: null },
};
const logs = { name: 'logs.blob.core.windows.net', address: '172.31.4.4', port: 10_000 };
const evil = {
  name: 'evil.blob.core.windows.net',
  address: '172.31.4.5',
  port: 10_443,
  shut: true,
  shared: true,
};
const gate = {
  ...{ operator: 'op', authority: 'PEM', others: [evil] },
  accounts: [{ ...logs, ask: { method: 'GET', path: '/x' } }],
};
const batch = gateBatch({ gate, account: gate.accounts[0]!, way: { to: '172.31.3.4', port: 443 }, turn: 0 });

const body = (text: string): string => `content-length: ${text.length}\r\n\r\n${text}`;
const served = `HTTP/1.1 404 Not Found\r\ndate: x\r\n${body('no such blob')}`;
const refused = `HTTP/1.1 403 Forbidden\r\nsallyport-gate: refused\r\n${body('The gate refused this request: host.')}`;
const malformed = `HTTP/1.1 400 Bad request\r\nContent-length: 3\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\nbad`;
const down = `HTTP/1.1 503 Service Unavailable\r\nsallyport-gate: failed\r\n${body('The gate does not reach the service')}`;
const alert = '\x15\x03\x03\0\x02\x02\x28';

const answered = (id: string, heard: string, more: Partial<GateHeard> = {}): GateHeard => ({
  ...{ id, stage: 'secured', end: 'closed', heard },
  ...more,
});
/** All controls as they should be, and one answer to every try. */
function played(heard: string, more: Partial<GateHeard> = {}, control = served): GatePlayed {
  const all = [
    ...batch.controls.map(({ order, own }) => answered(order.id, control.repeat(own))),
    ...batch.tries.map(({ order }) => answered(order.id, heard, more)),
  ];
  return {
    ...{ machine, as: 'root', rules: 'in force', batch },
    heard: new Map(all.map((one) => [one.id, one])),
  };
}
const sure = { blind: [], strays: false };
const outcomes = (one: GatePlayed, evidence: Parameters<typeof judgeGate>[1] = sure): readonly string[] => [
  ...new Set(judgeGate(one, evidence).map(({ outcome }) => outcome)),
];

test('answers are taken apart by their lengths and chunks', () => {
  const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
  const said = readAnswers(`HTTP/1.1 100 Continue\r\n\r\n${served}${chunks}${refused}`, false)!;
  assert.deepEqual(
    said.map(({ status, body: text }) => [status, text]),
    [
      [404, 'no such blob'],
      [200, 'abcde'],
      [403, 'The gate refused this request: host.'],
    ],
  );
  assert.equal(readAnswers('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 403 no\r\n\r\n', false)!.length, 1);
  assert.equal(
    readAnswers('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', true)!.length,
    2,
  );
  // To CONNECT and to what can't be read HAProxy answers with a body, also where HEAD was let through.
  assert.deepEqual(
    [refused, malformed, `${refused}${malformed}`].map((text) => readAnswers(text, true)?.length),
    [1, 1, 2],
  );
  for (const text of ['\0\0\x12\x04\0\0\0\0\0', 'hello', `${served}more`])
    assert.equal(readAnswers(text, false), undefined);
});

test('the gate’s own answer, TLS refused and a cut are stops; any other answer is a leak', () => {
  for (const text of [refused, malformed, down, alert, ''])
    assert.deepEqual(outcomes(played(text)), ['stopped']);
  assert.deepEqual(outcomes(played('', { end: 'ECONNRESET' })), ['stopped']);
  const late = malformed.replace('400 Bad request', '408 Request Time-out');
  assert.deepEqual(outcomes(played(late)), ['stopped']);
  for (const text of [
    served.repeat(2),
    // A service that writes what the gate would: HAProxy writes its headers in lower case.
    malformed.toLowerCase().replace('http', 'HTTP').repeat(2),
    '\0\0\x12\x04\0\0\0\0\0',
    `${refused}\0`,
  ])
    assert.deepEqual(outcomes(played(text)), ['leaked'], text);
  assert.deepEqual(outcomes(played('', { end: 'DEPTH_ZERO_SELF_SIGNED_CERT' })), ['leaked']);
  assert.ok(
    judgeGate(played(refused), sure).every(
      ({ wall, evidence }) => wall === 'gate' && evidence === 'refused: host',
    ),
  );
});

test('a refusal has its body also where policies let HEAD alone', () => {
  const account = { ...logs, ask: { method: 'HEAD', path: '/x' } };
  const heads = gateBatch({ gate, account, way: { to: '172.31.3.4', port: 443 }, turn: 0 });
  const bare = served.slice(0, -'no such blob'.length);
  for (const text of [refused, malformed, refused.slice(0, refused.indexOf('The gate'))])
    assert.deepEqual(outcomes({ ...played(text, {}, bare), batch: heads }), ['stopped'], text);
});

test('TLS is refused by an alert of TLS; what is cut before may have been cut on its way', () => {
  const tls = batch.tries.filter(({ order }) => order.tls).map(({ what }) => what);
  const ends = (end: string) =>
    new Set(
      judgeGate(played('', { stage: 'connected', end }), sure)
        .filter(({ what }) => tls.includes(what))
        .map(({ outcome }) => outcome),
    );
  for (const end of ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME'])
    assert.deepEqual([...ends(end)], ['stopped'], end);
  for (const end of ['ECONNRESET', 'closed', 'ERR_SSL_WRONG_VERSION_NUMBER', 'CERT_HAS_EXPIRED'])
    assert.deepEqual([...ends(end)], ['not proved'], end);
  assert.deepEqual([1, 12, 13, 30, 200].map(atOnceOf), [8, 8, 7, 3, 1]);
});

test('an interim answer is its service’s, one with the answer that ends it', () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
  assert.deepEqual(outcomes(played(hints)).includes('leaked'), true);
  assert.deepEqual(
    judgeGate(played(`${hints}${refused}`), sure).filter(({ outcome }) => outcome === 'leaked').length,
    batch.tries.filter(({ own }) => own === 0).length,
  );
  assert.deepEqual(
    outcomes(played(refused, {}, hints + served)),
    ['stopped'],
    'a control is seen all the same',
  );
});

test('one answer of the allowed account is its own request’s, where there was one', () => {
  const verdicts = judgeGate(played(served), sure);
  const carriers = batch.tries.filter(({ own }) => own === 1).map(({ what }) => what);
  for (const { what, outcome } of verdicts)
    assert.equal(outcome, carriers.includes(what) ? 'stopped' : 'leaked', what);
});

test('where no service answers, where nothing is seen or nothing came back, nothing is proved', () => {
  assert.deepEqual(outcomes(played(refused, {}, down)), ['not proved']);
  assert.match(gateControls([played(refused, {}, down)])[0]!.evidence, /does not reach the service/);
  assert.deepEqual(outcomes({ ...played(refused), heard: new Map() }), ['not proved']);
  assert.deepEqual(outcomes(played(refused), { ...sure, blind: ['a recorder is gone'] }), ['not proved']);
  assert.deepEqual(outcomes(played('', { end: 'silent' })), ['not proved']);
  assert.deepEqual(outcomes(played(refused, { end: 'full' })), ['not proved'], 'there was more');
  assert.deepEqual(outcomes(played('', { stage: 'none', end: 'ECONNREFUSED' })), ['not proved']);
  assert.deepEqual(outcomes(played(served.repeat(2), {}, down)), ['leaked'], 'a leak needs no control');
});

test('what the gate begins towards an account that nobody may reach is a leak, whatever it says', () => {
  const at = { ...machine, id: 'gate', address: '172.31.3.4' };
  const seen = [
    { source: at.address, destination: evil.address, protocol: 'tcp', port: evil.port, packets: 1 },
  ];
  const cable = [{ place: 'nic-out', of: 'gate', seen }] as const;
  assert.ok(gateStrays(batch, at, cable));
  assert.ok(!gateStrays({ other: { ...evil, shut: false } }, at, cable), 'another cluster may');
  assert.ok(!gateStrays(batch, at, [{ ...cable[0], of: 'op' }]));
  assert.deepEqual(outcomes(played(refused), { ...sure, strays: true }), ['leaked']);
});

test('what policies let meanwhile proves nothing, and no leak', () => {
  const now = (shut: boolean) => [{ ...gate, others: [{ ...evil, shut }] }];
  const shut = now(true);
  const own: typeof shut = [{ ...gate, others: [] }];
  assert.deepEqual(openedSince(batch, gate, undefined), { reached: false, open: false });
  assert.deepEqual(openedSince(batch, gate, now(true)), { reached: false, open: false });
  assert.deepEqual(openedSince(batch, gate, now(false)), { reached: false, open: true });
  assert.deepEqual(openedSince(batch, gate, own), { reached: true, open: true });
  const judged = (said: string, after: typeof shut) =>
    outcomes(played(said), { ...sure, strays: true, since: openedSince(batch, gate, after) });
  assert.deepEqual(judged(refused, now(true)), ['leaked']);
  assert.deepEqual(judged(refused, now(false)), ['not proved']);
  assert.deepEqual(
    judged(served.repeat(2), now(false)),
    ['leaked'],
    'another operator may, and this one not',
  );
  assert.deepEqual(judged(served.repeat(2), own), ['not proved']);
});

test('a node aims at no customer’s account, and a proof knows what policies say of it now', () => {
  const theirs = { ...evil, name: 'theirs.example', shared: false };
  const both = { ...gate, others: [evil, theirs] };
  assert.deepEqual(aimsOf(both, machine), [evil, theirs]);
  assert.deepEqual(aimsOf(both, { ...machine, kind: 'node' }), [evil]);
  const work: FabricIntent['work'] = [{ id: 'v', kind: 'verify', network: null, gates: [both] }];
  assert.deepEqual(gatesOfWork({ work }, 'v'), [both]);
  assert.equal(gatesOfWork({ work }, 'w'), undefined);
  assert.equal(gatesOfWork(undefined, 'v'), undefined);
});

test('no name of an account that is another’s is in what people read', () => {
  assert.ok(!JSON.stringify(judgeGate(played(refused), sure)).includes('evil'));
  assert.equal(
    gateBatch({
      gate: { ...gate, others: [] },
      account: gate.accounts[0]!,
      way: { to: '', port: 1 },
      turn: 3,
    }).other,
    null,
  );
});

test('what may only delete is not asked for, and what writes only on a condition', () => {
  const put = { ...logs, ask: { method: 'PUT', path: '/logs/sallyport-verify' } };
  const writes = gateBatch({ gate, account: put, way: { to: '', port: 1 }, turn: 0 });
  for (const { order } of [...writes.controls, ...writes.tries])
    if (order.say.startsWith('PUT') && order.say.includes(logs.name))
      assert.match(order.say, /If-Match: "sallyport-verify"/);
  const none = gateBatch({ gate, account: { ...logs, ask: null }, way: { to: '', port: 1 }, turn: 0 });
  assert.deepEqual([none.controls, none.tries], [[], []]);
  const [control] = gateControls([{ ...played(refused), batch: none }]);
  assert.ok(!control!.seen && control!.evidence.includes('would surely change nothing'));
});
