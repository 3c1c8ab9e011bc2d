import { chmod, cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { exec, ExecError } from '../../lib/exec.ts';
import { readFileIfThere, writeFileAtomic } from '../../lib/files.ts';
import type { CliContext } from '../context.ts';
import { SetupError } from '../errors.ts';
import { programRoot, type Home } from '../home.ts';
import { checkDisk } from './checks.ts';
import type { Probe } from './probe.ts';

const source = join(programRoot, 'setup/azurite');
const folderOf = (home: Home): string => join(home.tools, 'azurite');
/** 62 MB, and what npm unpacks on the way. */
const diskNeeded = 2 ** 28;

/** Where it lies, whole and as the lock says; undefined: it doesn't. */
export async function installedAzurite(home: Home): Promise<string | undefined> {
  const lock = await readFile(join(source, 'package-lock.json'), 'utf8');
  const stamp = await readFileIfThere(join(folderOf(home), 'installed.lock'));
  return stamp === lock ? folderOf(home) : undefined;
}

/** Installs it by npm into the state folder, by a lock with the checksum of every package, and runs no script of theirs. */
export async function installAzurite(
  cx: Pick<CliContext, 'home' | 'env' | 'signal'>,
  probe: Probe,
  say: (text: string) => void,
): Promise<{ readonly folder: string; readonly fresh: boolean }> {
  const done = await installedAzurite(cx.home);
  if (done) return { folder: done, fresh: false };
  const npm = await probe.which('npm');
  if (!npm)
    throw new SetupError(
      'NoNpm',
      'Azurite is installed by npm, and there is no npm on PATH.',
      'Install Node.js with npm (see https://nodejs.org/en/download), then run the same command again.',
    );
  await checkDisk(cx.home.root, diskNeeded);
  say('installing Azurite with npm: 62 MB');
  const folder = folderOf(cx.home);
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await cp(source, draft, { recursive: true });
  await runNpm(cx, npm, draft);
  // Machines belong to a user that is nobody, and read it.
  await exec('chmod', ['-R', 'go+rX', draft]);
  await chmod(draft, 0o755);
  const lock = await readFile(join(source, 'package-lock.json'), 'utf8');
  await writeFileAtomic(join(draft, 'installed.lock'), lock, 0o644);
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return { folder, fresh: true };
}

async function runNpm(
  { home, env, signal }: Pick<CliContext, 'home' | 'env' | 'signal'>,
  npm: string,
  cwd: string,
): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const cache = { npm_config_cache: join(home.cache, 'npm') };
  try {
    await exec(npm, args, { cwd, signal, timeoutMs: 600_000, env: { ...env, ...cache } });
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    throw new UserError(
      'AzuriteNotInstalled',
      `npm could not install Azurite: ${error.stderr.trim().slice(-600) || error.message}`,
      'Mend what npm names (often the network or its proxy), then run the same command again.',
      error,
    );
  }
}
