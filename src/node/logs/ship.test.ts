import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLog } from '../../lib/log.ts';
import { Waiting } from './faults.ts';
import { openShipper, type Shipper } from './ship.ts';
import type { Answer, LogStore, StorePlace } from './store.ts';

const place = { account: 'logs', container: 'c' } as StorePlace;
const answer = (status: number, code: string | null = null): Answer => ({ status, code, refusal: null });

/** Blobs in memory, each an append blob; `refuse` may answer in its place. */
function storeOf(refuse: (verb: 'create' | 'append', blob: string) => Answer | undefined = () => undefined) {
  const blobs = new Map<string, string>();
  const asked: string[] = [];
  const store: LogStore = {
    async create(blob) {
      asked.push(`create ${blob}`);
      const no = refuse('create', blob);
      if (no) return no;
      if (blobs.has(blob)) return answer(409, 'BlobAlreadyExists');
      blobs.set(blob, '');
      return answer(201);
    },
    async append(blob, bytes, position) {
      asked.push(`append ${blob}`);
      const no = refuse('append', blob);
      if (no) return no;
      const had = blobs.get(blob);
      if (had === undefined) return answer(404, 'BlobNotFound');
      if (had.length !== position) return answer(412, 'AppendPositionConditionNotMet');
      blobs.set(blob, had + bytes.toString());
      return answer(201);
    },
    close: () => undefined,
  };
  return { store, blobs, asked };
}

async function world(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-ship-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'system.log');
  const said: string[] = [];
  const open = (): Promise<Shipper> =>
    openShipper({
      logs: [{ name: 'system.log', path, kept: 1 }],
      path: join(folder, 'notes.json'),
      folder: () => 'c/dc/n',
      now: () => Date.parse('2026-01-02T03:04:05Z'),
      log: createLog({}, { level: 'warn', write: (line) => void said.push(line) }),
    });
  const ship = async (shipper: Shipper, { store }: ReturnType<typeof storeOf>): Promise<void> =>
    shipper.ship(store, place, () => undefined, new AbortController().signal);
  return { path, said, open, ship };
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `line ${String(from + n).padStart(60, '0')}\n`).join('');

test('a log that was cut short goes on from its end, and it is said that something is missing', async (t) => {
  const { path, said, open, ship } = await world(t);
  const blobs = storeOf();
  const shipper = await open();
  await writeFile(path, lines(0, 20));
  await ship(shipper, blobs);
  await truncate(path, lines(0, 12).length);
  await ship(shipper, blobs);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /gone before it was sent/);
  // Also by a successor, which knows no more than what was written down.
  const successor = await open();
  await appendFile(path, lines(100, 130));
  await ship(successor, blobs);
  assert.equal([...blobs.blobs.values()].join(''), lines(0, 20) + lines(100, 130));
});

test('a block that met a foreign writer is sent to another blob, also by a successor', async (t) => {
  const { path, open, ship } = await world(t);
  let down = false;
  const blobs = storeOf((verb) => (down && verb === 'create' ? answer(503) : undefined));
  await writeFile(path, lines(0, 3));
  const shipper = await open();
  await ship(shipper, blobs);
  const [first] = blobs.blobs.keys();
  blobs.blobs.set(first!, `${blobs.blobs.get(first!)!}foreign`);
  down = true;
  await appendFile(path, lines(3, 6));
  await assert.rejects(ship(shipper, blobs), Waiting);
  down = false;
  await ship(await open(), blobs);
  assert.equal(blobs.blobs.get(`${first!}.2`), lines(3, 6));
});

test('a store that makes blobs and then has none is not asked without end', async (t) => {
  const { path, open, ship } = await world(t);
  const blobs = storeOf((verb) => (verb === 'append' ? answer(404, 'BlobNotFound') : undefined));
  await writeFile(path, lines(0, 3));
  await assert.rejects(ship(await open(), blobs), Waiting);
  assert.ok(blobs.asked.length <= 60, String(blobs.asked.length));
});
