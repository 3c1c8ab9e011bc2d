/**
 * The how-to and every operation, with the Azure SDKs and az as published. CONTRACT_UPDATE=1 writes docs/reference/coverage.md
 * anew instead of holding it against what was found.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findAz } from '../harness/az.ts';
import { runAlone } from './alone.ts';
import { commands } from './az/commands.ts';
import type { Answered } from './az/inside.ts';
import { runOf } from './az/said.ts';
import { habits } from './beyond.ts';
import { installSdks, sdkNames } from './clients/clients.ts';
import { coverageOf, gapsIn, pageOf } from './coverage.ts';
import { gaps } from './gaps.ts';
import type { ClientRun } from './inside.ts';
import { around, isPoll, operationOf, preview, stable } from './model.ts';
import { flawsOf } from './validate.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
let sdkRuns: readonly ClientRun[];
let azAnswers: readonly Answered[];
/** Of all clients. */
let runs: readonly ClientRun[];
before(
  async () => {
    const az = await findAz(new AbortController().signal);
    await installSdks();
    const [ofSdks, ofAz] = await Promise.all([
      runAlone(here('./inside.ts')),
      runAlone(here('./az/inside.ts'), { AZ: az }),
    ]);
    sdkRuns = JSON.parse(ofSdks) as readonly ClientRun[];
    azAnswers = ofAz
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answered);
    runs = [...sdkRuns, runOf(azAnswers)];
  },
  { timeout: 3_600_000 },
);

test('each SDK goes the whole way', () => {
  for (const name of sdkNames) {
    const run = sdkRuns.find(({ client }) => client === name);
    assert.ok(run, name);
    assert.equal(run.exitCode, 0, `${name}: ${run.stderr}`);
    assert.ok(run.said.length > 50, `${name} said ${run.said.length} operations`);
    assert.ok(run.exchanges.length > run.said.length, `${name}: ${run.exchanges.length} exchanges`);
  }
});

test('az answers every command', async (t) => {
  assert.equal(azAnswers.length, commands.length);
  for (const [index, command] of commands.entries()) {
    const { line, wrong, seconds } = azAnswers[index]!;
    const name = `az ${command.stock ? '(without the extension) ' : ''}${line}`.slice(0, 160);
    await t.test(name, (one) => {
      one.diagnostic(`${seconds} s`);
      assert.equal(wrong, null, wrong ?? '');
    });
  }
});

test('what no client can do yet is exactly what gaps.ts says', (t) => {
  const coverage = coverageOf(runs);
  const found = gapsIn(coverage);
  for (const { client, said } of runs) {
    for (const { operation, outcome, ...why } of said) {
      if (outcome !== 'ok') t.diagnostic(`${client} ${operation}: ${JSON.stringify(why)}`);
    }
  }
  assert.deepEqual(found, gaps.toSorted());
});

test('every answer is as the specification has it', () => {
  const found = runs.flatMap(({ client, exchanges }) =>
    exchanges.flatMap((exchange) => flawsOf(exchange).map((flaw) => ({ client, flaw }))),
  );
  const isOf = (habit: (typeof habits)[number], { client, flaw }: (typeof found)[number]): boolean =>
    client === habit.client && habit.flaw.test(flaw);
  const flaws = found.filter((one) => !habits.some((habit) => isOf(habit, one)));
  assert.equal(
    [...new Set(flaws.map(({ client, flaw }) => `${client}: ${flaw}`))].slice(0, 40).join('\n'),
    '',
  );
  for (const habit of habits)
    assert.ok(
      found.some((one) => isOf(habit, one)),
      `no longer: ${habit.what}`,
    );
});

test('each operation of the specification was asked for on the wire, by an SDK', () => {
  const asked = (model: typeof preview, version: string): ReadonlySet<string | undefined> =>
    new Set(
      sdkRuns.flatMap(({ exchanges }) =>
        exchanges
          .filter(({ apiVersion }) => apiVersion === version)
          .map(({ method, path }) => operationOf(model, method, path)?.id),
      ),
    );
  for (const model of [stable, preview]) {
    const seen = asked(model, model.version);
    const missing = model.operations.map(({ id }) => id).filter((id) => !seen.has(id));
    assert.deepEqual(missing, [], `of ${model.version}`);
  }
});

test('what a client says it asked for is what went over the wire, and has a name', () => {
  for (const { client, said, exchanges } of runs) {
    const asked = new Map(
      exchanges
        .filter(({ path }) => !isPoll(path))
        .map(({ method, path }) => [
          `${method} ${path}`,
          (operationOf(preview, method, path) ?? operationOf(around, method, path))?.id,
        ]),
    );
    const unnamed = [...asked].filter(([, id]) => id === undefined).map(([request]) => request);
    assert.deepEqual(unnamed, [], client);
    const seen = new Set(asked.values());
    assert.deepEqual([...new Set(said.map(({ operation }) => operation).filter((id) => !seen.has(id)))], []);
  }
});

test('no secret was answered', () => {
  for (const { client, exchanges } of runs) {
    const answers = JSON.stringify(exchanges.map(({ response }) => response));
    assert.equal(answers.includes('Pa55-word-of-a-test'), false, client);
  }
});

test('docs/reference/coverage.md says what was found', () => {
  const file = new URL('../../docs/reference/coverage.md', import.meta.url);
  const page = pageOf(coverageOf(runs));
  if (process.env['CONTRACT_UPDATE'] === '1') writeFileSync(file, page);
  assert.equal(
    readFileSync(file, 'utf8'),
    page,
    'the page is old: CONTRACT_UPDATE=1 node --test test/contract/contract.test.ts writes it',
  );
});
