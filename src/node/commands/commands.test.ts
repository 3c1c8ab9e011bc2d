import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { NodeCommand } from '../../exchange/intents/node.ts';
import { until } from '../../lib/clock.ts';
import { createLog } from '../../lib/log.ts';
import { openResults } from './results.ts';
import { runBounded } from './nodetool.ts';
import { createCommandRunner, type Nodetool } from './runner.ts';

const log = createLog({}, { write: () => undefined });
const command = (id: string, ...given: readonly string[]): NodeCommand => ({
  id,
  arguments: given.length > 0 ? [...given] : ['status'],
});
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-commands-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runner(nodetool: Nodetool, signal = new AbortController().signal) {
  const results = await openResults(join(folder, 'commands.json'));
  return createCommandRunner({ results, nodetool, log, signal, onChange: () => undefined });
}
const ended = (of: Awaited<ReturnType<typeof runner>>, commands: readonly NodeCommand[]) =>
  until('the commands to end', () => (of.busy() ? undefined : of.reports(commands)), {
    timeoutMs: 2_000,
    everyMs: 5,
  });

test('an id is run once, also by the next agent; exit codes are results, refusals are named', async () => {
  const ran: string[] = [];
  const nodetool: Nodetool = async (args) => {
    ran.push(args.join(' '));
    return { output: 'out', errorOutput: 'err', exitCode: 2 };
  };
  const asked = [command('a'), command('b', 'drain'), command('c', 'ring', 'ks')];
  const first = await runner(nodetool);
  first.offer(asked);
  first.offer(asked);
  const reports = await ended(first, asked);
  assert.deepEqual(reports['a'], {
    state: 'done',
    output: 'out',
    errorOutput: 'err',
    exitCode: 2,
    error: null,
  });
  assert.equal(reports['b']!.error!.code, 'CommandRefused');
  const second = await runner(nodetool);
  second.offer(asked);
  assert.deepEqual(await ended(second, asked), reports);
  assert.deepEqual(ran, ['status', 'ring -- ks']);
  assert.equal((await stat(join(folder, 'commands.json'))).mode & 0o777, 0o600);
});

test('a result that nobody asks for any more is forgotten, and its id still isn’t run again', async () => {
  let runs = 0;
  const nodetool: Nodetool = async () => ({ output: `${++runs}`, errorOutput: '', exitCode: 0 });
  const first = await runner(nodetool);
  first.offer([command('a')]);
  await ended(first, [command('a')]);
  first.offer([]);
  await until(
    'the result to go',
    async () => ((await readFile(join(folder, 'commands.json'), 'utf8')).includes('"1"') ? undefined : true),
    { timeoutMs: 2_000, everyMs: 5 },
  );
  first.offer([command('a')]);
  await ended(first, [command('a')]);
  assert.equal(runs, 1);
});

test('a command that an agent’s end interrupted has failed, and is not run again', async () => {
  const stop = new AbortController();
  let runs = 0;
  const first = await runner(async () => {
    runs++;
    stop.abort();
    throw new Error('stopped');
  }, stop.signal);
  first.offer([command('a')]);
  assert.equal((await ended(first, [command('a')]))['a']!.state, 'running');
  const second = await runner(async () => ({ output: `${++runs}`, errorOutput: '', exitCode: 0 }));
  second.offer([command('a')]);
  const said = (await ended(second, [command('a')]))['a']!;
  assert.deepEqual([said.state, said.error!.code, runs], ['failed', 'Interrupted', 1]);
});

const bounds = { timeoutMs: 5_000, limit: 10, signal: new AbortController().signal };

test('output is bounded, and it is said what was cut off', async () => {
  const said = await runBounded('sh', ['-c', 'echo 123456; echo abcdefghi >&2; sleep 0; exit 3'], bounds);
  assert.equal(said.exitCode, 3);
  assert.equal(said.output.length + said.errorOutput.split('\n[')[0]!.length, 10);
  assert.match(said.errorOutput, /\[7 bytes more were cut off: 10 are kept\.\]/);
});

test('what takes too long is ended, and named', async () => {
  await assert.rejects(
    runBounded('sleep', ['30'], { ...bounds, timeoutMs: 50 }),
    /did not end within 0.05 s, and was ended/,
  );
});
