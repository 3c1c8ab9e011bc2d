import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from './exec.ts';
import { createLog } from './log.ts';

test('a line is one JSON object; an error brings its message and stack, and no cause', () => {
  const lines: string[] = [];
  const log = createLog({ role: 'node' }, { write: (line) => void lines.push(line) }).with({ part: 'door' });
  log.debug('not shown');
  log.error('it failed', { error: new Error('no room', { cause: new Error('hidden') }) });
  const [line, ...more] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [line!['role'], line!['part'], line!['level'], line!['message'], line!['error']],
    ['node', 'door', 'error', 'it failed', 'no room'],
  );
  assert.match(String(line!['stack']), /^Error: no room\n/);
  assert.doesNotMatch(lines[0]!, /hidden/);
});

test('a disk without room takes no line, and no process with it; with room the next line is there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const script = `
    import { createLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
    import { rmSync } from 'node:fs';
    const log = createLog();
    for (let n = 0; n < 400; n++) log.info('x'.repeat(200));
    await new Promise((resolve) => setImmediate(resolve));
    rmSync(process.env.FILL);
    log.info('heard again');
    process.stdout.write('alive');`;
  const onSmallDisk = `
    mount -t tmpfs -o size=64k none "$FOLDER" && head -c 40000 /dev/zero >"$FILL" || exit 9
    "$0" --input-type=module -e "$1" 2>"$FOLDER/log"; code=$?
    tail -n 1 "$FOLDER/log" >&2; exit $code`;
  const said = await execStatus(
    'unshare',
    ['--user', '--map-root-user', '--mount', 'sh', '-c', onSmallDisk, process.execPath, script],
    { env: { ...process.env, FOLDER: folder, FILL: join(folder, 'fill') } },
  );
  assert.deepEqual([said.exitCode, said.stdout], [0, 'alive'], said.stderr);
  assert.match(said.stderr, /"message":"heard again"/);
});
