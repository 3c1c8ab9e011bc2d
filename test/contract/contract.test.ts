/**
 * The how-to and every operation, with the Azure SDKs as published. CONTRACT_UPDATE=1 writes docs/reference/coverage.md anew
 * instead of holding it against what was found.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../src/lib/exec.ts';
import { clientNames, installClients } from './clients/clients.ts';
import { coverageOf, gapsIn, pageOf } from './coverage.ts';
import { gaps } from './gaps.ts';
import type { ClientRun } from './inside.ts';
import { operationOf, preview, stable } from './model.ts';
import { flawsOf } from './validate.ts';

let runs: readonly ClientRun[];
before(
  async () => {
    await installClients();
    const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));
    const ran = await execStatus(
      'unshare',
      ['--user', '--map-root-user', '--net', '--kill-child', '--fork', process.execPath, inside],
      { timeoutMs: 500_000, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    assert.equal(ran.exitCode, 0, ran.stderr.slice(-4000));
    runs = JSON.parse(ran.stdout) as readonly ClientRun[];
  },
  { timeout: 900_000 },
);

test('each client goes the whole way', () => {
  for (const name of clientNames) {
    const run = runs.find(({ client }) => client === name);
    assert.ok(run, name);
    assert.equal(run.exitCode, 0, `${name}: ${run.stderr}`);
    assert.ok(run.said.length > 50, `${name} said ${run.said.length} operations`);
    assert.ok(run.exchanges.length > run.said.length, `${name}: ${run.exchanges.length} exchanges`);
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
  const flaws = runs.flatMap(({ client, exchanges }) =>
    exchanges.flatMap((exchange) => flawsOf(exchange).map((flaw) => `${client}: ${flaw}`)),
  );
  assert.equal([...new Set(flaws)].slice(0, 40).join('\n'), '');
});

test('each operation of the specification was asked for on the wire', () => {
  const asked = (model: typeof preview, version: string): ReadonlySet<string | undefined> =>
    new Set(
      runs.flatMap(({ exchanges }) =>
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
