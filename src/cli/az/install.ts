import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { exec, ExecError } from '../../lib/exec.ts';
import { readFileIfThere, writeFileAtomic } from '../../lib/files.ts';
import type { CliContext } from '../context.ts';
import { SetupError } from '../errors.ts';
import { checkDisk } from '../setup/checks.ts';
import { installCommand, installPackages } from '../setup/packages.ts';
import type { Probe } from '../setup/probe.ts';

/** The az that our extension was written for and is tried with. */
export const azVersion = '2.91.0';

const pythons = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'] as const;
const fit = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
const debianPackage = 'python3-venv';
/** An environment of 730 MB, and what pip unpacks on the way. */
const diskNeeded = 2 * 2 ** 30;

/** Where it lies once it is whole; undefined: it isn't. */
export async function installedAz(tools: string): Promise<string | undefined> {
  const version = await readFileIfThere(join(tools, 'az/version'));
  return version?.trim() === azVersion ? join(tools, 'az/venv/bin/az') : undefined;
}

/** Installs azure-cli from PyPI (or the mirror that pip is set to) into an environment of its own. */
export async function installAz(
  cx: Pick<CliContext, 'home' | 'signal'>,
  probe: Probe,
  say: (text: string) => void,
): Promise<string> {
  const folder = join(cx.home.tools, 'az');
  const done = await installedAz(cx.home.tools);
  if (done) return done;
  await checkDisk(cx.home.root, diskNeeded);
  const python = await needPython(cx, probe, say);
  say(`installing azure-cli ${azVersion} with pip: 730 MB, some minutes`);
  const venv = join(folder, 'venv');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const options = { timeoutMs: 1_800_000, signal: cx.signal };
  try {
    await exec(python, ['-m', 'venv', venv], options);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
    await exec(join(venv, 'bin/python'), [...pip, `azure-cli==${azVersion}`], options);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    throw new UserError(
      'AzNotInstalled',
      `pip could not install azure-cli ${azVersion}: ${error.stderr.trim().slice(-600) || error.message}`,
      'Mend what pip names (often the network or its proxy), then run the same command again. Or put an az of your own on PATH.',
      error,
    );
  }
  await writeFileAtomic(join(folder, 'version'), `${azVersion}\n`, 0o644);
  return join(venv, 'bin/az');
}

async function needPython(
  cx: Pick<CliContext, 'signal'>,
  probe: Probe,
  say: (text: string) => void,
): Promise<string> {
  const root = process.getuid?.() === 0;
  const found = await findPython(probe);
  if (found) return found;
  await installPackages([debianPackage], { root, probe, say, signal: cx.signal });
  const after = await findPython(probe);
  if (after) return after;
  throw new SetupError(
    'NoPython',
    `az needs Python 3.10 or later with its modules venv and ensurepip. None of these is one: ${pythons.join(', ')}.`,
    `Install one (Debian and Ubuntu: ${installCommand([debianPackage])}), or put an az of your own on PATH.`,
  );
}

/** The first Python on PATH that az can run in. */
export async function findPython(probe: Probe): Promise<string | undefined> {
  for (const name of pythons) {
    const path = await probe.which(name);
    if (path !== undefined && (await probe.say(path, ['-c', fit])) !== undefined) return path;
  }
  return undefined;
}
