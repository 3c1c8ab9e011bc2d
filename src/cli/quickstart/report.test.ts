import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../lib/errors.ts';
import { createReport } from './report.ts';

test("on a terminal what is waited for is not cut off for the step's name", async () => {
  let out = '';
  const report = createReport({
    json: false,
    interactive: true,
    width: 80,
    clock: { now: () => 0, sleep: async () => undefined },
    write: (text) => (out += text),
    steps: 9,
  });
  await report.step('Step 5: create the data centre', async (progress) => {
    progress.show('data centre dc1: node dc1-1 (10.0.2.4): Cassandra is starting');
    return { changed: true, note: 'done' };
  });
  assert.ok(out.includes('[1/9] data centre dc1: node dc1-1 (10.0.2.4): Cassandra is starting\r'), out);
});

test('where there is no terminal, a waiting text is one line, however long it lasts', async () => {
  let now = 0;
  let out = '';
  const report = createReport({
    json: false,
    interactive: false,
    width: 80,
    clock: { now: () => now, sleep: async () => undefined },
    write: (text) => (out += text),
    steps: 1,
  });
  await report.step('a step', async (progress) => {
    for (const text of ['one', 'one', 'two', 'two', 'two']) {
      now += 1_000;
      progress.show(text);
    }
    return { changed: true, note: 'done' };
  });
  assert.deepEqual(out.match(/one|two|done/g), ['one', 'two', 'done']);
  assert.equal(out.split('\n').length, 4);
});

test('for machines a step that fails is an event too, with code and message', async () => {
  let out = '';
  const report = createReport({
    json: true,
    interactive: false,
    width: 80,
    clock: { now: () => 0, sleep: async () => undefined },
    write: (text) => (out += text),
    steps: 1,
  });
  const work = async (): Promise<never> => {
    throw new UserError('RingNotUp', 'no node is up', 'sallyport status');
  };
  await assert.rejects(report.step('a step', work));
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(events.at(-1), {
    elapsed: 0,
    event: 'failed',
    step: 1,
    name: 'a step',
    code: 'RingNotUp',
    message: 'no node is up',
  });
});
