import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSpool, type SpoolBounds } from './spool.ts';

function ground(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let now = 1_000;
  const lost: number[] = [];
  return {
    folder,
    lost,
    at: (time: number): void => void (now = time),
    open: (bounds: SpoolBounds = { bytes: 100, ms: 10_000 }) =>
      openSpool({
        ...{ folder, bounds, onLost: (bytes: number) => void lost.push(bytes) },
        clock: { now: () => now, sleep: async () => undefined },
      }),
  };
}

const text = async (spool: Awaited<ReturnType<typeof openSpool>>): Promise<readonly string[]> => {
  const all: string[] = [];
  for (let piece = spool.oldest(); piece; piece = spool.oldest()) {
    all.push((await spool.read(piece)).toString());
    await spool.drop(piece);
  }
  return all;
};

test('what was put is there after another start, in the order in which it came, whatever the clock says', async (t) => {
  const to = ground(t);
  const spool = await to.open();
  await spool.put(Buffer.from('one'));
  await spool.put(Buffer.from('two'));
  to.at(500);
  await spool.put(Buffer.from('three'));
  assert.equal(spool.waiting(), 11);
  for (const name of readdirSync(to.folder))
    assert.equal(statSync(join(to.folder, name)).mode & 0o777, 0o600);
  // As a role leaves it that dies while it writes.
  writeFileSync(join(to.folder, '00000000001000-000003.snappy.0a1b2c3d'), 'half');
  const again = await to.open();
  await again.put(Buffer.from('four'));
  assert.deepEqual(await text(again), ['one', 'two', 'three', 'four']);
  assert.deepEqual([again.waiting(), readdirSync(to.folder), to.lost], [0, [], []]);
});

test('where it is full the oldest go, and no more than has to', async (t) => {
  const to = ground(t);
  const spool = await to.open();
  for (const letter of ['a', 'b', 'c', 'd']) await spool.put(Buffer.alloc(30, letter));
  assert.deepEqual(to.lost, [30]);
  assert.equal(spool.waiting(), 90);
  await spool.put(Buffer.alloc(70, 'e'));
  assert.deepEqual(to.lost, [30, 60]);
  assert.deepEqual(
    (await text(spool)).map((one) => one[0]),
    ['d', 'e'],
  );
});

test('what is too old is given up, also when nothing new comes', async (t) => {
  const to = ground(t);
  const spool = await to.open();
  await spool.put(Buffer.from('old'));
  to.at(9_000);
  await spool.put(Buffer.from('new'));
  to.at(11_500);
  await spool.expire();
  assert.deepEqual(to.lost, [3]);
  assert.deepEqual(await text(spool), ['new']);
});
