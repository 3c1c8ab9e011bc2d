import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { NodeWork } from '../../exchange/intents/node.ts';
import { until } from '../../lib/clock.ts';
import { createLog } from '../../lib/log.ts';
import { openLedger } from './ledger.ts';
import { createWorkRunner, type WorkHandler } from './runner.ts';
import { isCassandraHash, securingStatements } from './statements.ts';

const log = createLog({}, { write: () => undefined });
const open = (id: string): NodeWork => ({ id, kind: 'start-native-transport' });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-work-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runner(handler: WorkHandler, signal = new AbortController().signal) {
  const ledger = await openLedger(join(folder, 'work.json'));
  const handlers = {
    'start-native-transport': handler,
    'secure-roles': handler,
    'check-default-password-refused': handler,
    decommission: handler,
    cleanup: handler,
  };
  return createWorkRunner({ ledger, handlers, log, signal, onChange: () => undefined });
}
const ended = (work: Awaited<ReturnType<typeof runner>>, ids: readonly string[]) =>
  until('the work to end', () => (work.busy() ? undefined : work.results(ids.map(open))), {
    timeoutMs: 2_000,
    everyMs: 5,
  });

test('an id is run once, also by the next agent, and one failure stops nothing', async () => {
  const runs: string[] = [];
  const handler: WorkHandler = async ({ id }) => {
    runs.push(id);
    if (id === 'b') throw new Error('no');
  };
  const first = await runner(handler);
  first.offer([open('a'), open('b'), open('c')]);
  first.offer([open('a')]);
  const results = await ended(first, ['a', 'b', 'c']);
  assert.deepEqual(
    Object.values(results).map(({ state }) => state),
    ['done', 'failed', 'done'],
  );
  assert.equal(results['b']!.error?.message, 'no');
  const second = await runner(handler);
  second.offer([open('a'), open('b'), open('c')]);
  await ended(second, ['a']);
  assert.deepEqual(runs, ['a', 'b', 'c']);
});

test('work that an agent’s end interrupted is taken up by its successor', async () => {
  const stop = new AbortController();
  let runs = 0;
  const first = await runner(async () => {
    runs++;
    stop.abort();
    throw new Error('stopped');
  }, stop.signal);
  first.offer([open('a')]);
  assert.equal((await ended(first, ['a']))['a']!.state, 'running');
  const second = await runner(async () => void runs++);
  second.offer([open('a')]);
  assert.equal((await ended(second, ['a']))['a']!.state, 'done');
  assert.equal(runs, 2);
});

test('what takes long keeps no other work waiting, and nobody looks often for its sake', async () => {
  let end = (): void => undefined;
  const long = new Promise<void>((resolve) => (end = resolve));
  const one = await runner((work) => (work.kind === 'cleanup' ? long : Promise.resolve()));
  const slow: NodeWork = { id: 'slow', kind: 'cleanup' };
  one.offer([slow, open('a')]);
  assert.equal((await ended(one, ['a']))['a']!.state, 'done');
  assert.equal(one.results([slow])['slow']!.state, 'running');
  end();
  const done = () => (one.results([slow])['slow']!.state === 'done' ? true : undefined);
  await until('the slow one', done, { timeoutMs: 2_000, everyMs: 5 });
});

const hash = `$2a$10$${'a'.repeat(53)}`;

test('a new ring is secured in order, the admin last, and no statement holds a password', () => {
  const work = { serviceRole: 'sally"port', authReplication: { "dc'1": 3, dc2: 2 } };
  const said = securingStatements(work, { admin: hash, service: hash });
  assert.match(said[0]!, /^CREATE ROLE IF NOT EXISTS "sally""port" WITH HASHED PASSWORD/);
  assert.match(said[2]!, /'dc''1': 3, 'dc2': 2/);
  assert.match(said.at(-1)!, /^ALTER ROLE cassandra /);
});

test('a hash that Cassandra can’t read is refused before it is sent', () => {
  assert.equal(isCassandraHash(hash), true);
  assert.equal(isCassandraHash(hash.replace('$2a$', '$2b$')), false);
  const work = { serviceRole: 's', authReplication: { dc1: 3 } };
  assert.throws(() => securingStatements(work, { admin: "x' OR", service: hash }), /\$2a\$/);
});
