/** The real az for tests: installed once into the state folder that set-up uses, and found there afterwards. */
import type { TestContext } from 'node:test';
import { findPython, installAz, installedAz } from '../../src/cli/az/install.ts';
import { findHome } from '../../src/cli/home.ts';
import { createProbe } from '../../src/cli/setup/probe.ts';
import { installing } from './tools.ts';

/** Its path; undefined after the test has been skipped, where there is no Python to run it. */
export async function needAz(t: TestContext): Promise<string | undefined> {
  const had = await installedAz(findHome(process.env).tools);
  if (had) return had;
  if (process.getuid?.() !== 0 && !(await findPython(createProbe(process.env)))) {
    t.skip('az needs Python 3.10 with venv and pip: apt-get install python3-venv');
    return undefined;
  }
  return findAz(t.signal, (text) => t.diagnostic(text));
}

/** Its path, or an error that says what is missing. */
export const findAz = (signal: AbortSignal, say: (text: string) => void = () => undefined): Promise<string> =>
  installing('az', () => installAz({ home: findHome(process.env), signal }, createProbe(process.env), say));
