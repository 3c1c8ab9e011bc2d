import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyResult } from '../../fabric/verify/result.ts';
import { renderVerify } from './table.ts';

const tried = {
  machine: 'dc1-1',
  as: 'root',
  rules: 'in force',
  what: 'TCP',
  towards: '192.0.2.1',
  outcome: 'stopped',
  wall: "node's door",
  evidence: 'timed out',
} as const;
const result: VerifyResult = {
  verdict: 'leak',
  machines: [],
  tries: [
    tried,
    { ...tried, machine: 'dc1-2' },
    { ...tried, what: 'UDP', outcome: 'leaked', wall: null, evidence: 'seen by the internet' },
  ],
  controls: [
    { kind: 'protocol', what: 'UDP', from: 'app', seen: false, evidence: 'the recorder was silent' },
  ],
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 3,
  summary: ['one', 'two', 'three'],
};

test('like tries are one line; what was not stopped, and what was not seen, stands by itself', () => {
  const text = renderVerify(result, 80);
  assert.match(text, /^TCP +in force +2 +node's door$/m);
  assert.match(text, /LEAKED: UDP towards 192\.0\.2\.1, from dc1-1 as root/);
  assert.match(text, /NOT SEEN: UDP from app/);
  assert.ok(text.endsWith('one\ntwo\nthree'));
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
});
