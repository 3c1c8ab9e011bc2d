import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { encode, parseAnswer, readProgram } from './batch.ts';
import type { Try } from './try.ts';

const tried = (id: string, verb: string, more: Try['arguments']): Try => ({
  id,
  what: verb,
  towards: '',
  control: 'udp',
  markers: [],
  by: 'network',
  verb,
  arguments: more,
});

test('the prober takes a batch from standard input and answers every try, in bounded time', async () => {
  const none = `/nowhere/${process.pid}`;
  const batch = {
    tries: [
      tried('t1', 'udp', { to: '127.0.0.1', port: 9 }),
      tried('t2', 'tcp', { to: '::1', port: 9 }),
      tried('t3', 'unix', { path: none }),
      tried('t4', 'run', { argv: ['/bin/false', 'a b'].join('\u001f') }),
      tried('t5', 'udp', { to: '127.0.0.1', port: 9, needs: 'x' }),
    ],
    preparation: {
      orders: [
        ['begin', 'x', '/bin/false'],
        ['show', 'lines', '/bin/echo', 'a\\b'],
        ['end', '/bin/true'],
      ],
    },
  };
  const started = Date.now();
  const said = spawnSync('/usr/bin/perl', ['-'], {
    input: (await readProgram()) + encode({ wait: 100, secret: 'nobody has this' }, batch),
    encoding: 'utf8',
  });
  assert.equal(said.status, 0, said.stderr);
  assert.equal(said.stderr, '');
  const answer = parseAnswer(said.stdout);
  assert.deepEqual([...answer.results.keys()].sort(), ['batch', 't1', 't2', 't3', 't4', 't5']);
  assert.equal(answer.results.get('t3')?.state, 'held');
  assert.equal(answer.results.get('t4')?.state, 'held');
  assert.match(answer.results.get('t5')?.detail ?? '', /^prepare/);
  assert.equal(answer.shown.get('lines')?.text, 'a\\b\n');
  assert.ok(Date.now() - started < 15_000);
});

test('an order can’t smuggle in another', () => {
  assert.throws(
    () => encode({}, { tries: [tried('t1', 'udp', { to: '1\nflush' })], preparation: { orders: [] } }),
    /tab or a newline/,
  );
});
