import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withinReport } from './commands.ts';
import type { CommandReport } from './intents/node.ts';
import { nodetoolArguments } from './nodetool.ts';

test('options come first, and what follows can’t be one', () => {
  assert.deepEqual(nodetoolArguments(['status']), ['status']);
  assert.deepEqual(nodetoolArguments(['status', 'ks', '-r']), ['status', '-r', '--', 'ks']);
  assert.deepEqual(nodetoolArguments(['tablestats', '-F', 'json', 'a.b', 'c']), [
    ...['tablestats', '-F', 'json', '--', 'a.b', 'c'],
  ]);
  assert.deepEqual(nodetoolArguments(['getendpoints', 'ks', 't', '-5']), [
    ...['getendpoints', '--', 'ks', 't', '-5'],
  ]);
});

test('what changes a node, leads elsewhere or reads a file is refused by name', () => {
  for (const given of [
    ['decommission'],
    ['drain'],
    ['constructor'],
    ['status', '-h', 'elsewhere'],
    ['status', '-helsewhere'],
    ['status', '--host=elsewhere'],
    ['info', '-pwf', '/etc/shadow'],
    ['toppartitions', '-i', '1000', 'a', 'b', '1'],
    ['-h', 'elsewhere', 'status'],
    ['tpstats', '-F'],
    ['tpstats', '-F', '-h'],
    ['status', 'a', 'b'],
    ['getendpoints', 'a', 'b', 'c\0'],
    [''],
    [],
  ]) {
    assert.equal(typeof nodetoolArguments(given), 'string', given.join(' '));
  }
  assert.match(nodetoolArguments(['drain']) as string, /'nodetool drain' is not offered.*describecluster/);
  assert.match(nodetoolArguments(['status', '-x']) as string, /It takes: -r, --resolve-ip/);
});

test('whatever is given, no option gets through that its subcommand doesn’t take', () => {
  const word = fc.oneof(fc.constantFrom('-h', '-p', '-pwf', '-r', '--', '-F', 'json', 'ks'), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (rest) => {
      const given = nodetoolArguments(['status', ...rest]);
      if (typeof given === 'string') return;
      const end = given.indexOf('--');
      const options = given.slice(1, end === -1 ? undefined : end);
      const plain = end === -1 ? [] : given.slice(end + 1);
      assert.ok(options.every((option) => option === '-r'));
      assert.ok(plain.length <= 1 && plain.every((one) => !one.startsWith('-') || /^-\d+$/.test(one)));
    }),
  );
});

test('a report holds whole results, at least one; the others come when there is room', () => {
  const report = (output: string): CommandReport => ({
    ...{ state: 'done', output, errorOutput: '', exitCode: 0, error: null },
  });
  const all = { a: report('x'.repeat(900)), b: report('y'.repeat(900)), c: report('z') };
  assert.deepEqual(
    Object.values(withinReport(all, 1_100)).map(({ state, output }) => [state, output.length]),
    [
      ['done', 900],
      ['running', 0],
      ['done', 1],
    ],
  );
  assert.equal(withinReport({ a: all.a }, 1)['a']!.state, 'done');
});
