/**
 * A whole Sallyport of a test's own: state folder, control, fabric. Driven through `./sallyport`, as a person does.
 * Tools (JVM paths, jars, WireGuard) are those that set-up has already put into the real state folder.
 */
import { execStatus } from '../../src/lib/exec.ts';
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realHome } from './tools.ts';

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Stack {
  readonly home: string;
  /** Runs `./sallyport ARGS`. Never throws for an exit code. */
  run(
    args: readonly string[],
    options?: { readonly timeoutMs?: number; readonly input?: string; readonly env?: NodeJS.ProcessEnv },
  ): Promise<Ran>;
  /** Runs, fails the test unless it exits with 0, and parses its standard output. */
  json<T>(args: readonly string[], options?: { readonly timeoutMs?: number }): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What control has written down of itself at its first start. */
export interface Settled {
  readonly providerSubscription: string;
}

/** Starts a new stack once, ends it, and adds to what control's config.json says: the next start goes by it. */
export async function configure<T extends object>(
  stack: Stack,
  add: (settled: Settled) => T,
): Promise<Settled & T> {
  for (const command of ['up', 'down']) {
    const ran = await stack.run([command], { timeoutMs: 200_000 });
    if (ran.exitCode !== 0) throw new Error(`sallyport ${command}: ${ran.stderr}`);
  }
  const path = join(stack.home, 'control/config.json');
  const settled = JSON.parse(await readFile(path, 'utf8')) as Settled;
  const config = { ...settled, ...add(settled) };
  await writeFile(path, JSON.stringify(config));
  return config;
}

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const openTun = `
if [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
  mount -t tmpfs -o mode=0755 none /mnt && mknod -m 0666 /mnt/tun c 10 200 && mount --bind /mnt/tun /dev/net/tun && umount -l /mnt || exit 1
fi
exec "$@"`;

/** `uid`: run as an ordinary user of that number, from copies that it owns. */
export async function createStack(options: { readonly uid?: number } = {}): Promise<Stack> {
  // Short, because a unix socket's path is at most 108 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'sp-'));
  const home = join(folder, 'h');
  let program = project;
  const uid = options.uid;
  if (uid === undefined) {
    await execStatus('mkdir', ['-p', join(home, 'tools')]);
    // Each tool is shared, tools.json is not: set-up writes its own home's paths into it, and this home goes away.
    for (const tool of await readdir(join(realHome(), 'tools'))) {
      if (tool !== 'tools.json') await symlink(join(realHome(), 'tools', tool), join(home, 'tools', tool));
    }
  } else {
    program = join(folder, 'p');
    await execStatus('mkdir', ['-p', program, join(home, 'tools')]);
    for (const part of [
      'sallyport',
      'package.json',
      'package-lock.json',
      '.npmrc',
      'tsconfig.json',
      'tsconfig.build.json',
      'setup',
      'az',
      'src',
      'dist',
      'node_modules',
    ]) {
      await cp(join(project, part), join(program, part), {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
    }
    await copyTools(join(realHome(), 'tools'), join(home, 'tools'));
    await execStatus('chown', ['-R', `${uid}:${uid}`, folder]);
    await chmod(folder, 0o755);
  }

  const run: Stack['run'] = (args, more = {}) => {
    const env = {
      ...process.env,
      SALLYPORT_HOME: home,
      HOME: uid === undefined ? homedir() : home,
      ...more.env,
    };
    const command = join(program, 'sallyport');
    const bounded = {
      env,
      cwd: program,
      timeoutMs: more.timeoutMs ?? 120_000,
      ...(more.input !== undefined && { input: more.input }),
    };
    if (uid === undefined) return execStatus(command, args, bounded);
    // udev gives everybody /dev/net/tun; a machine without udev gets the same here, for this test's processes alone.
    const become = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', command, ...args];
    return execStatus(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', openTun, 'sh', ...become],
      bounded,
    );
  };
  return {
    home,
    run,
    async json<T>(args: readonly string[], more?: { readonly timeoutMs?: number }) {
      const ran = await run(args, more);
      if (ran.exitCode !== 0)
        throw new Error(
          `sallyport ${args.join(' ')} ended with ${ran.exitCode}:\n${ran.stdout}\n${ran.stderr}`,
        );
      return JSON.parse(ran.stdout) as T;
    },
    async [Symbol.asyncDispose]() {
      await run(['down', '--purge', '--yes'], { timeoutMs: 120_000 });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Tools may lie where the ordinary user can't read; what tools.json names inside our folder is copied and renamed. az and the
 * SDKs are clients, 800 MB of them, and are being installed perhaps.
 */
async function copyTools(from: string, to: string): Promise<void> {
  const clients = ['az', 'clients'].map((tool) => join(from, tool));
  const filter = (path: string): boolean => !clients.includes(path);
  await cp(from, to, { recursive: true, verbatimSymlinks: true, filter });
  const text = await readFile(join(from, 'tools.json'), 'utf8');
  await writeFile(join(to, 'tools.json'), text.replaceAll(`${from}/`, `${to}/`));
}
