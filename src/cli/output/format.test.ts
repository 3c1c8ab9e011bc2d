import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../errors.ts';
import { applyQuery, format } from './format.ts';
import { createProgress } from './progress.ts';
import { renderTable } from './table.ts';
import { wrap } from './wrap.ts';

const rows = [
  { name: 'b', id: '/x', properties: { state: 'Succeeded' }, count: 2, tags: null },
  { name: 'a', id: '/y', properties: { state: 'Failed' }, count: 10, on: true },
];

test('json has sorted keys, as az writes it', async () => {
  assert.equal(
    await format({ b: 1, a: [true, null] }, 'json'),
    '{\n  "a": [\n    true,\n    null\n  ],\n  "b": 1\n}',
  );
});

test('nothing prints nothing', async () => {
  for (const form of ['json', 'table', 'tsv', 'yaml'])
    assert.equal(await format(applyQuery({ a: 1 }, 'b'), form), '');
});

test('tsv: a value alone, a list, a row of mixed cells', async () => {
  assert.equal(await format('10.0.1.10', 'tsv'), '10.0.1.10');
  assert.equal(await format(true, 'tsv'), 'true');
  assert.equal(await format(['a', 'b'], 'tsv'), 'a\nb');
  assert.equal(await format([['a', null, ['x', 'y'], { k: 1 }, false]], 'tsv'), 'a\tNone\t2\t\tFalse');
  assert.equal(await format([{ z: 1, a: 'two\tparts' }], 'tsv'), 'two parts\t1');
});

test('table: simple properties with a capital, ids and objects left out', async () => {
  assert.equal(
    await format(rows, 'table'),
    ['Name  Count  On', '----  -----  ----', 'b     2', 'a     10     true'].join('\n'),
  );
});

test('table: columns that a command chose', async () => {
  assert.equal(
    await format(rows, 'table', { Name: 'name', State: 'properties.state' }),
    ['Name  State', '----  ---------', 'b     Succeeded', 'a     Failed'].join('\n'),
  );
});

test('table: what a query made of it', async () => {
  assert.equal(
    await format(applyQuery(rows, '[].[name, count]'), 'table'),
    ['Column1  Column2', '-------  -------', 'b        2', 'a        10'].join('\n'),
  );
  assert.equal(await format(applyQuery(rows, '[].name'), 'table'), ['Result', '------', 'b', 'a'].join('\n'));
});

test('yaml', async () => {
  assert.equal(await format({ b: [1], a: 'x' }, 'yaml'), 'a: x\nb:\n  - 1');
});

test('a query that is none is a usage error', () => {
  assert.throws(() => applyQuery({}, 'a['), UsageError);
});

test('a table gives way in its widest column', () => {
  const text = renderTable(['A', 'B'], [['short', 'a text that is much too long for the terminal']], 30);
  for (const line of text.split('\n')) assert.ok(line.length <= 30, line);
  assert.match(text, /short {2}a text that is m.*…/);
});

test('lines are wrapped at blanks, and a long word is left whole', () => {
  assert.equal(wrap('one two three', 7), 'one two\nthree');
  assert.equal(wrap('/a/path/that/is/long x', 8), '/a/path/that/is/long\nx');
});

test('progress: plain lines once each where there is no terminal', () => {
  let out = '';
  const progress = createProgress({
    write: (text) => (out += text),
    interactive: false,
    width: 80,
    clock: { now: () => 0, sleep: async () => undefined },
  });
  progress.show('waiting');
  progress.show('waiting');
  progress.show('still');
  progress.clear();
  assert.equal(out, 'waiting\nstill\n');
});
