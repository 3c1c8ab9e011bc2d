import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WallsReport } from '../../exchange/intents/fabric.ts';
import { wallLines } from './walls.ts';

const at = '2026-11-24T10:00:00Z';
const now = Date.parse(at) + 90_000;
const clean: WallsReport = {
  last: { at, tried: 12, agreed: 11, unproved: 1, arrived: 1, milliseconds: 700 },
  findings: [],
  putBack: [],
};
const finding = {
  ...{ at, from: 'app', to: '10.0.2.4', protocol: 'tcp', port: 7001 },
  ...{ outcome: 'opened' as const, text: 'it arrived at node', stands: true },
};

test('one line while all is as it shall be, and nothing before the first round', () => {
  assert.deepEqual(wallLines(null, now), []);
  assert.deepEqual(wallLines({ ...clean, last: null }, now), []);
  assert.deepEqual(wallLines(clean, now).slice(1), [
    'walls: tried with 12 packets 90 s ago, 11 did what is asked for, 1 prove nothing',
  ]);
});

test('what stands open comes first, what was put back last', () => {
  const walls = {
    ...clean,
    findings: [{ ...finding, stands: false }, finding],
    putBack: [{ at, where: 'vnet', what: 'inet router' }],
  };
  const lines = wallLines(walls, now).slice(1);
  assert.equal(lines[0], 'A WALL IS OPEN: app → 10.0.2.4 tcp 7001, 90 s ago: it arrived at node');
  assert.match(lines[2]!, /it arrived at node; after a pass of the fabric it was so no more$/);
  assert.equal(lines[3], 'put back: table inet router of vnet had been changed by somebody else, 90 s ago');
});
