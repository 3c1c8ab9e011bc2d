import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock, until } from '../lib/clock.ts';
import { execStatus } from '../lib/exec.ts';
import { masterKeyIn, openStore } from './store.ts';
import { openDatabase } from './sqlite.ts';

const masterKey = Buffer.alloc(32, 7);
const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const base = '/subscriptions/s/resourceGroups/g/providers/Toy.Box/toys';
const intent = (name: string, properties: unknown = {}) =>
  ({
    id: `${base}/${name}`,
    type: 'Toy.Box/toys',
    location: null,
    tags: {},
    identity: null,
    properties,
    state: {},
    by: 'me',
    verb: 'PUT',
    operationIn: 'here',
  }) as const;

/** Writes as fast as it can: each round a row, its operation and a secret in one transaction, and then says so. */
const writer = `
import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
import { systemClock } from ${JSON.stringify(new URL('../lib/clock.ts', import.meta.url).href)};
import { writeSync } from 'node:fs';
const store = openStore({ path: process.argv[1], masterKey: Buffer.alloc(32, 7), clock: systemClock });
const from = store.list('Toy.Box/toys').length;
for (let i = from; ; i++) {
  store.transaction(() => {
    store.write({ id: ${JSON.stringify(base)} + '/t' + i, type: 'Toy.Box/toys', location: null, tags: {}, identity: null, properties: { i }, state: {}, by: 'me', verb: 'PUT', operationIn: 'here' });
    store.secrets.set('t' + i, 'secret ' + i);
  });
  writeSync(1, i + '\\n');
}`;

test('kill -9 in a loop of writes: what was answered is there, whole, and nothing half', async (t) => {
  const path = join(folderFor(t), 'sallyport.db');
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = -1;
    child.stdout.on('data', (chunk: Buffer) => {
      // The last whole line: a kill can cut the one after it.
      const last = chunk.toString().split('\n').at(-2);
      if (last) said = Number(last);
    });
    const before = said;
    await until('some writes', () => (said > before + 20 ? true : undefined), {
      timeoutMs: 20_000,
      everyMs: 7,
    });
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;

    const store = openStore({ path, masterKey, clock: systemClock });
    const rows = store.list<{ i: number }>('Toy.Box/toys');
    assert.ok(rows.length > said, `${said} was answered, ${rows.length} rows are there`);
    for (const [index, row] of rows.entries()) {
      assert.equal(row.properties.i, index);
      assert.equal(store.operations.running(row.id)?.generation, row.generation);
      assert.equal(store.secrets.get(`t${index}`), `secret ${index}`);
    }
    store.close();
  }
});

test('a second process is refused by name, and the first goes on', async (t) => {
  const path = join(folderFor(t), 'sallyport.db');
  const first = openStore({ path, masterKey, clock: systemClock });
  assert.throws(() => openDatabase(path), { code: 'AlreadyRunning' });
  first.write(intent('a'));
  first.close();
  openDatabase(path).close();
});

test('a wrong or a lost master key is named at start', async (t) => {
  const folder = folderFor(t);
  const key = await masterKeyIn(folder);
  assert.deepEqual(await masterKeyIn(folder), key);
  openStore({ path: join(folder, 'sallyport.db'), masterKey: key, clock: systemClock }).close();
  assert.throws(() => openStore({ path: join(folder, 'sallyport.db'), masterKey, clock: systemClock }), {
    code: 'WrongMasterKey',
  });
  rmSync(join(folder, 'master.key'));
  await assert.rejects(masterKeyIn(folder), { code: 'MasterKeyMissing' });
});

test('a state of a newer version is refused', (t) => {
  const path = join(folderFor(t), 'sallyport.db');
  const db = openDatabase(path);
  db.close();
  const raw = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(path);
  raw.exec('pragma user_version = 999');
  raw.close();
  assert.throws(() => openDatabase(path), { code: 'NewerState' });
});

test('a full disk: the write is refused whole, reading goes on, and writing too when there is room again', async (t) => {
  const folder = folderFor(t);
  const mounted = await execStatus('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]).catch(
    () => undefined,
  );
  if (mounted?.exitCode !== 0) return t.skip('only root can mount a small file system');
  try {
    const path = join(folder, 'sallyport.db');
    const store = openStore({ path, masterKey, clock: systemClock });
    store.write(intent('before'));
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(64 << 10));
    let written = 0;
    assert.throws(
      () => {
        for (; written < 1000; written++) store.write(intent(`t${written}`, { text: 'x'.repeat(8 << 10) }));
      },
      { code: 'DiskFull' },
    );
    assert.equal(store.get(`${base}/t${written}`), undefined);
    assert.equal(store.operations.running(`${base}/t${written}`), undefined);
    assert.equal(store.list('Toy.Box/toys').length, written + 1);
    rmSync(join(folder, 'ballast'));
    store.write(intent('after'));
    store.close();
    const again = openStore({ path, masterKey, clock: systemClock });
    assert.equal(again.list('Toy.Box/toys').length, written + 2);
    again.close();
  } finally {
    await execStatus('umount', [folder]);
  }
});
