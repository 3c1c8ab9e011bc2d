/** The real az for tests: installed once into the state folder that set-up uses, and found there afterwards. */
import type { TestContext } from 'node:test';
import { findPython, installAz, installedAz } from '../../src/cli/az/install.ts';
import { findHome } from '../../src/cli/home.ts';
import { createProbe } from '../../src/cli/setup/probe.ts';

/** Its path; undefined after the test has been skipped, where there is no Python to run it. */
export async function needAz(t: TestContext): Promise<string | undefined> {
  const home = findHome(process.env);
  const had = await installedAz(home.tools);
  if (had) return had;
  const probe = createProbe(process.env);
  if (process.getuid?.() !== 0 && !(await findPython(probe))) {
    t.skip('az needs Python 3.10 with venv and pip: apt-get install python3-venv');
    return undefined;
  }
  return installAz({ home, signal: t.signal }, probe, (text) => t.diagnostic(text));
}
