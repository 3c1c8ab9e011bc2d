import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateHeard } from './gate-probe.ts';
import { readAnswers } from './http-answers.ts';
import { gateControls, gateStrays, judgeGate, type GatePlayed } from './judge-gate.ts';
import { gateBatch } from './tries-gate.ts';
import type { WorldMachine } from './world.ts';

const machine: WorldMachine = {
  ...{ id: 'op', kind: 'operator', hostname: 'op', network: 'provider', address: '172.31.1.4', allow: null },
};
const logs = { name: 'logs.blob.core.windows.net', address: '172.31.4.4', port: 10_000 };
const evil = { name: 'evil.blob.core.windows.net', address: '172.31.4.5', port: 10_443, shut: true };
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
  for (const text of ['\0\0\x12\x04\0\0\0\0\0', 'hello', `${served}more`])
    assert.equal(readAnswers(text, false), undefined);
});

test('the gate’s own answer, TLS refused and a cut are stops; any other answer is a leak', () => {
  for (const text of [refused, malformed, down, alert, ''])
    assert.deepEqual(outcomes(played(text)), ['stopped']);
  assert.deepEqual(outcomes(played('', { stage: 'connected', end: 'ERR_SSL_TLSV1_ALERT' })), ['stopped']);
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
  assert.ok(!control!.seen && control!.evidence.includes('would change nothing'));
});
