import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accountKey,
  bytesOf,
  noCounts,
  withLine,
  withoutOthers,
  withPlan,
  withWorkers,
  type Counts,
} from './counts.ts';
import { parseStat, parseStreams, parseWorkers } from './master.ts';

const key = accountKey('c1', 'a.example');
const grant = {
  backend: 'g_1',
  identity: 'c1',
  account: 'a.example',
  rule: { methods: [], path: null },
  probe: 'h_1',
};
const plan = { grants: [grant], frontends: { f_1: 'c1' } };
const start = withPlan(noCounts, plan);
const line = (counts: Counts, text: string): Counts => withLine(counts, text, 'now');
const carried = (sent: number, received: number) => ({ g_1: { sent, received } });

test('what has ended and what runs are told together, and nothing twice', () => {
  let counts = withWorkers(start, { 7: carried(100, 10) });
  assert.deepEqual(bytesOf(counts, key), { sent: 100, received: 10 });
  counts = line(counts, 'S 7 g_1 250 30 200 ---- - "a.example"');
  assert.deepEqual(bytesOf(counts, key), { sent: 250, received: 30 });
  counts = withWorkers(counts, { 7: carried(260, 30) });
  assert.deepEqual(bytesOf(counts, key), { sent: 260, received: 30 });
});

test('a worker that ended well leaves what it logged, one that died what was last seen of it', () => {
  const logged = line(withWorkers(start, { 7: carried(100, 10) }), 'S 7 g_1 250 30 200 ---- - "a.example"');
  assert.deepEqual(bytesOf(withWorkers(logged, { 8: carried(5, 5) }), key), { sent: 255, received: 35 });
  const died = withWorkers(start, { 7: carried(100, 10) });
  const after = withWorkers(died, { 8: carried(5, 5) });
  assert.deepEqual(bytesOf(after, key), { sent: 105, received: 15 });
  assert.deepEqual(bytesOf(withWorkers(after, { 8: carried(5, 5) }), key), { sent: 105, received: 15 });
});

test('a refusal is told by its code and the name that was dialled', () => {
  let counts = line(start, 'S 7 f_1 90 0 403 PR-- host "a.example"');
  counts = line(counts, 'H 7 f_1 31 "b.example"');
  counts = line(counts, 'H 7 f_1 0 "a.example"');
  counts = line(counts, 'H 7 f_1 31 ""');
  assert.deepEqual(
    counts.refusals.map(({ cluster, code, name }) => [cluster, code, name]),
    [
      ['c1', 'host', 'a.example'],
      ['c1', 'handshake', 'b.example'],
      ['c1', 'malformed', 'a.example'],
      ['c1', 'handshake', null],
    ],
  );
  for (let n = 0; n < 30; n++) counts = line(counts, 'S 7 f_1 90 0 403 PR-- port "a.example"');
  assert.equal(counts.refusals.length, 20);
  assert.equal(counts.refused, 34);
});

test('other lines, and those of proxies that nobody knows, say nothing', () => {
  for (const text of ['', 'Server h_1/s is DOWN', 'S 7 g_2 1 1 200 ---- - "x"', 'S x', 'H 7 f_9 31 "b"'])
    assert.deepEqual(line(start, text), start);
});

test('sums of a cluster that is gone go, a backend stays while a worker may speak of it', () => {
  let counts = line(withWorkers(start, { 7: carried(0, 0) }), 'S 7 g_1 250 30 200 ---- - "a.example"');
  const empty = { grants: [], frontends: {} };
  counts = withoutOthers(counts, ['c1'], empty);
  assert.deepEqual(Object.keys(counts.accounts), ['g_1']);
  counts = withoutOthers(withWorkers(counts, {}), ['c1'], empty);
  assert.deepEqual(counts.accounts, {});
  assert.deepEqual(bytesOf(counts, key), { sent: 250, received: 30 });
  assert.deepEqual(withoutOthers(counts, [], empty).ended, {});
});

test('the master’s answers are read as it writes them', () => {
  const proc = `#<PID>          <type>          <reloads>       <uptime>        <version>
1162            master          5               0d00h02m07s     2.6.12
# workers
1271            worker          0               0d00h00m00s     2.6.12
# old workers
1233            worker          3               0d00h00m43s     2.6.12
1240            worker          1               0d00h00m43s     2.6.12
# programs
`;
  assert.deepEqual(parseWorkers(proc), { current: 1271, old: [1233, 1240] });
  assert.deepEqual(parseWorkers('#<PID> <type>\n1162 master 5 x 2.6\n# workers\n# programs\n'), {
    current: undefined,
    old: [],
  });
  const sess =
    '0x55d5a0: proto=tcpv4 src=127.0.0.1:5 fe=f_1 be=g_1 srv=s ts=00 epoch=0x1 age=1s calls=2\n' +
    '0x55d5b0: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00\n';
  assert.deepEqual(parseStreams(sess), [
    { id: '0x55d5a0', backend: 'g_1' },
    { id: '0x55d5b0', backend: '<NONE>' },
  ]);
  const stat = parseStat(
    '# pxname,svname,bin,bout,status,check_status,last_chk,check_desc,\n' +
      'g_1,s,1,2,DOWN (via h_1/s),,,,\ng_1,BACKEND,10,20,DOWN,,,,\nh_1,s,0,0,DOWN,L6RSP,"no certificate",Layer6 invalid response,\nh_2,s,0,0,UP,INI,,Initializing,\n',
  );
  assert.deepEqual(stat.bytes, { g_1: { sent: 10, received: 20 } });
  assert.deepEqual(stat.probes, { h_1: { up: false, said: 'Layer6 invalid response: no certificate' } });
});
