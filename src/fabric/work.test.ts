import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { FabricIntent } from '../exchange/intents/fabric.ts';
import { until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { openWorkLedger, type WorkOptions } from './work.ts';

const intent = (...ids: string[]): FabricIntent => ({
  networks: [],
  machines: [],
  links: [],
  work: ids.map((id) => ({ id, kind: 'verify', network: null })),
});
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-work-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = (more: Partial<WorkOptions>) =>
  openWorkLedger({
    folder,
    run: async () => 'found',
    deliver: async () => undefined,
    onChange: () => undefined,
    log: createLog({}, { write: () => undefined }),
    ...more,
  });
/** What is kept; drafts come and go. */
const onDisk = async () => {
  const kept = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return (await Promise.all(kept.map((name) => readFile(join(folder, name), 'utf8')))).join('');
};
const state = (ledger: Awaited<ReturnType<typeof open>>, id: string, want: string) =>
  until(`work to be ${want}`, () => (ledger.report(intent(id))[id]?.state === want ? true : undefined), {
    timeoutMs: 2_000,
    everyMs: 5,
  });

test('runs once per id, however often it is intended, across restarts', async () => {
  let runs = 0;
  const ledger = await open({ run: async () => ++runs });
  await ledger.settle(intent('a'));
  await ledger.settle(intent('a'));
  await state(ledger, 'a', 'done');
  await (await open({ run: async () => ++runs })).settle(intent('a'));
  assert.equal(runs, 1);
});

test('work that a crash cut off has failed, and is not begun again', async () => {
  const stuck = await open({ run: () => new Promise(() => undefined) });
  await stuck.settle(intent('a'));
  const next = await open({});
  await next.settle(intent('a'));
  assert.equal(next.report(intent('a'))['a']?.state, 'failed');
  assert.match(next.report(intent('a'))['a']?.error?.message ?? '', /restarted/);
});

test('a result waits for contact, and is not lost by a restart', async () => {
  const cut = await open({
    deliver: async () => {
      throw new Error('no contact');
    },
  });
  await cut.settle(intent('a'));
  await until(
    'the result to be on disk',
    async () => ((await onDisk()).includes('found') ? true : undefined),
    { timeoutMs: 2_000, everyMs: 5 },
  );
  assert.equal(cut.report(intent('a'))['a']?.state, 'running', 'not done while nobody has it');
  const given: unknown[] = [];
  const next = await open({
    run: () => Promise.reject(new Error('again')),
    deliver: async (_id, result) => void given.push(result),
  });
  await next.settle(intent('a'));
  await state(next, 'a', 'done');
  assert.deepEqual(given, ['found']);
});

test('what is no longer intended is forgotten', async () => {
  const ledger = await open({});
  await ledger.settle(intent('a'));
  await state(ledger, 'a', 'done');
  await ledger.settle(intent());
  assert.deepEqual(await readdir(folder), []);
});
