import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSpool, leastOfPiece, type Spool, type SpoolBounds } from './spool.ts';

function ground(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let now = 1_000;
  const lost: number[] = [];
  return {
    folder,
    lost,
    at: (time: number): void => void (now = time),
    async open(bounds: Partial<SpoolBounds> = {}): Promise<Spool> {
      const spool = createSpool({
        ...{ folder, onLost: (bytes: number) => void lost.push(bytes) },
        bounds: { bytes: 5 * leastOfPiece, floor: 0, ms: 10_000, ...bounds },
        clock: { now: () => now, sleep: async () => undefined },
      });
      await spool.open();
      return spool;
    },
  };
}

const text = async (spool: Spool): Promise<readonly string[]> => {
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
  const size = 1.5 * leastOfPiece;
  for (const letter of ['a', 'b', 'c', 'd']) await spool.put(Buffer.alloc(size, letter));
  assert.deepEqual(to.lost, [size]);
  assert.equal(spool.waiting(), 3 * size);
  await spool.put(Buffer.alloc(2 * size, 'e'));
  assert.deepEqual(to.lost, [size, 2 * size]);
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

test('files are bounded too: a small one takes as much of the disk as a larger one', async (t) => {
  const to = ground(t);
  const spool = await to.open();
  for (const letter of 'abcdefg') await spool.put(Buffer.from(letter));
  assert.deepEqual([to.lost, spool.waiting()], [[1, 1], 5]);
  const again = await to.open();
  await again.put(Buffer.from('h'));
  assert.deepEqual(await text(again), ['d', 'e', 'f', 'g', 'h']);
});

test('where little of the disk is left nothing more is taken, and nothing given up for it', async (t) => {
  const to = ground(t);
  await (await to.open()).put(Buffer.from('one'));
  const spool = await to.open({ floor: 2 ** 60 });
  await assert.rejects(
    spool.put(Buffer.from('two')),
    /^UserError: The operator's disk has less than 1099511627776 MB left/,
  );
  assert.deepEqual(to.lost, []);
  assert.deepEqual(await text(spool), ['one']);
});

test("a folder that can't be read is tried again, and until then nothing waits", async (t) => {
  const to = ground(t);
  await (await to.open()).put(Buffer.from('one'));
  const inTheWay = join(to.folder, 'in-the-way');
  mkdirSync(inTheWay);
  let now = 2_000;
  const spool = createSpool({
    ...{ folder: to.folder, onLost: () => undefined },
    clock: { now: () => now, sleep: async () => undefined },
  });
  await assert.rejects(spool.open());
  await spool.expire();
  await assert.rejects(spool.put(Buffer.from('two')));
  assert.deepEqual([spool.oldest(), spool.waiting()], [undefined, 0]);
  rmSync(inTheWay, { recursive: true });
  now = 3_000;
  await spool.open();
  assert.deepEqual(await text(spool), ['one']);
});
