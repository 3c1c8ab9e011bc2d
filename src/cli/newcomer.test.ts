/** What somebody sees who has just cloned it and meets their machine's limits: the program itself is run. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { execStatus } from '../lib/exec.ts';
import { programRoot } from './home.ts';

const program = [process.execPath, join(programRoot, 'src/cli/main.ts')];

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sallyport-newcomer-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

const run = (home: string, argv: readonly string[]) => {
  const [command, ...args] = argv as [string, ...string[]];
  return execStatus(command, args, {
    env: {
      PATH: process.env['PATH'],
      SALLYPORT_HOME: home,
      SALLYPORT_CALLED: './sallyport',
      COLUMNS: '1000',
    },
    cwd: programRoot,
  });
};

test('a state folder whose sockets would have too long a path is refused before it is made', async (t) => {
  const home = join(await folder(t), 'x'.repeat(90));
  for (const command of ['quickstart', 'up', 'status']) {
    const said = await run(home, [...program, command]);
    assert.equal(said.exitCode, 2, said.stderr);
    assert.match(said.stderr, /^ERROR: \(HomePathTooLong\) .* bytes too long/);
    assert.match(said.stderr, /^Next: export SALLYPORT_HOME=/m);
  }
  assert.equal(existsSync(home), false);
});

test('before anything was started each command says what starts it, and makes nothing', async (t) => {
  const home = join(await folder(t), 'state');
  for (const argv of [['cql', '-e', 'SELECT 1'], ['connect', '--', 'true'], ['verify'], ['env']]) {
    const said = await run(home, [...program, ...argv]);
    assert.equal(said.exitCode, 1, said.stdout);
    assert.match(said.stderr, /^Next: \.\/sallyport (quickstart|up)/m, argv.join(' '));
  }
  assert.equal(existsSync(home), false);
});

test('a disk with too little room is refused before anything is fetched or started', async (t) => {
  const available = /^MemAvailable:\s+(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
  if (Number(available) < 4.5 * 2 ** 20) return t.skip('memory would be refused first');
  const home = join(await folder(t), 'state');
  const onSmallDisk = `mkdir "$0" && mount -t tmpfs -o size=16m none "$0" && "$@"; code=$?; ls "$0/run" "$0/tools" >&2; exit $code`;
  for (const command of ['quickstart', 'up']) {
    const namespaces = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', onSmallDisk, home];
    const said = await run(home, [...namespaces, ...program, command]);
    assert.equal(said.exitCode, 2, said.stderr);
    // Lines are broken for a terminal.
    const text = `${said.stdout}${said.stderr}`.replaceAll(/\s+/g, ' ');
    assert.match(
      text,
      /\(TooLittleDisk\) \S+ has too little room: 0\.0 GiB are available, \d GiB are needed/,
    );
    assert.match(text, / Next: Free some, or export SALLYPORT_HOME=/);
    assert.match(said.stderr, /run:\n\n\S+tools:\n$/, 'neither a lock nor a tool is left');
    await rm(home, { recursive: true });
  }
  assert.deepEqual(await readdir(join(home, '..')), []);
});
