import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodetoolArguments, nodetoolReads } from '../../exchange/nodetool.ts';
import { commandLists, nodetoolLine } from './nodetool.ts';

test('arguments as az sends them become a line that the node takes', () => {
  for (const [given, line] of [
    [{ status: '' }, ['status']],
    [{ STATUS: '', '-r': '' }, ['status', '-r']],
    [{ '-r': '', status: 'ks' }, ['status', '-r', 'ks']],
    [{ tablestats: 'a', '-F': 'json', 'b.c': '' }, ['tablestats', '-F', 'json', 'a', 'b.c']],
    [{ getendpoints: '', ks: 'table', key: '' }, ['getendpoints', 'ks', 'table', 'key']],
  ] as const) {
    assert.deepEqual(nodetoolLine(given, 'arguments'), line);
    assert.notEqual(typeof nodetoolArguments(line), 'string');
  }
});

test('every subcommand of the contract is in one list, and in one only', () => {
  const all = [...Object.keys(nodetoolReads), ...commandLists.later, ...Object.keys(commandLists.never)];
  assert.equal(new Set(all).size, all.length);
  for (const name of Object.keys(nodetoolReads))
    assert.deepEqual(nodetoolLine({ [name]: '' }, 'arguments'), [name]);
  for (const name of commandLists.later)
    assert.throws(() => nodetoolLine({ [name]: '' }, 'arguments'), { code: 'NotYetSupported' });
  for (const name of Object.keys(commandLists.never))
    assert.throws(() => nodetoolLine({ [name]: '' }, 'arguments'), { code: 'CommandNotAllowed' });
});
