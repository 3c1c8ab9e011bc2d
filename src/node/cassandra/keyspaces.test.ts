import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../lib/clock.ts';
import { createLog } from '../../lib/log.ts';
import type { Question } from './jolokia.ts';
import { createKeyspaceWatch, isPeoples, namedIn } from './keyspaces.ts';

test('a replication’s data centres, in Cassandra’s words', () => {
  assert.deepEqual(namedIn('NetworkTopologyStrategy {dc1=3}'), ['dc1']);
  assert.deepEqual(namedIn('NetworkTopologyStrategy {dc1=3, dc2=3/1, old-dc=0}'), ['dc1', 'dc2']);
  assert.deepEqual(namedIn('NetworkTopologyStrategy {}'), []);
  assert.deepEqual(namedIn('SimpleStrategy {replication_factor=2}'), ['*']);
  assert.deepEqual(namedIn('LocalStrategy {}'), []);
  assert.deepEqual(namedIn(''), []);
});

test('the database’s own keyspaces are nobody’s', () => {
  const all = ['system', 'system_auth', 'system_traces', 'systems', 'app'];
  assert.deepEqual(all.filter(isPeoples), ['systems', 'app']);
});

/** A Cassandra with these keyspaces; `now.schema` undefined: it doesn't answer. */
function cassandra(keyspaces: Record<string, string | undefined>) {
  const now: { schema: string | undefined; keyspaces: typeof keyspaces; at: number } = {
    ...{ schema: 'a', keyspaces, at: 0 },
  };
  const asked: Question[][] = [];
  let changes = 0;
  const watch = createKeyspaceWatch({
    jolokia: {
      async read(questions) {
        asked.push([...questions]);
        if (now.schema === undefined) throw new Error('nothing answers');
        return questions.map((question) => {
          if ('operation' in question) return now.keyspaces[String(question.arguments[0])];
          return question.attribute === 'SchemaVersion' ? now.schema : Object.keys(now.keyspaces);
        });
      },
    },
    clock: { now: () => now.at },
    log: createLog({}, { level: 'error' }),
    onChange: () => changes++,
  });
  /** Looks at the next time that it is due, and waits until `asks` requests are answered in all. */
  const look = async (asks: number): Promise<void> => {
    now.at += 5_000;
    watch.look('NORMAL');
    await until('the requests', () => (asked.length >= asks ? true : undefined), {
      timeoutMs: 1_000,
      everyMs: 1,
    });
    await new Promise(setImmediate);
  };
  return { now, asked, watch, look, changes: () => changes };
}

const dc1 = 'NetworkTopologyStrategy {dc1=3}';

test('asked anew when the schema has changed, and never more often than every few seconds', async () => {
  const one = cassandra({ app: dc1, both: 'NetworkTopologyStrategy {dc1=3, dc2=1}', system_auth: dc1 });
  assert.equal(one.watch.now(), undefined);
  await one.look(2);
  assert.deepEqual(one.watch.now(), { dc1: ['app', 'both'], dc2: ['both'] });
  one.watch.look('NORMAL');
  assert.equal(one.asked.length, 2, 'it is too soon');
  await one.look(3);
  assert.equal(one.asked.length, 3, 'the schema is the same');
  one.now.schema = 'b';
  one.now.keyspaces = { app: dc1, any: 'SimpleStrategy {replication_factor=1}' };
  await one.look(5);
  assert.deepEqual(one.watch.now(), { '*': ['any'], dc1: ['app'] });
  assert.equal(one.changes(), 2);
});

test('a Cassandra that is slow to answer loses nothing; one that is away isn’t spoken for', async () => {
  const one = cassandra({ app: dc1 });
  await one.look(2);
  one.now.schema = undefined;
  await one.look(3);
  assert.deepEqual(one.watch.now(), { dc1: ['app'] });
  one.watch.look(null);
  assert.equal(one.watch.now(), undefined);
  one.now.schema = 'a';
  await one.look(5);
  assert.deepEqual(one.watch.now(), { dc1: ['app'] });
});

test('many keyspaces are asked a hundred at a time, and a hundred names are told; a refused one is not counted', async () => {
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`k${at + 100}`, dc1]));
  const one = cassandra({ ...many, k100: undefined });
  await one.look(4);
  assert.deepEqual(
    one.asked.map((questions) => questions.length),
    [2, 100, 100, 50],
  );
  const names = one.watch.now()!['dc1']!;
  assert.deepEqual([names.length, names[0]], [100, 'k101']);
});
