/** What set-up has found or built, for tests that start real parts without the CLI. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findHome } from '../../src/cli/home.ts';
import { createHomeFolders } from '../../src/cli/setup/set-up.ts';
import { alone } from '../../src/cli/stack/lock.ts';
import { until } from '../../src/lib/clock.ts';
import { UserError } from '../../src/lib/errors.ts';

export interface Tools {
  readonly node: string;
  readonly javaHome: string;
  /** The userspace WireGuard; null: the kernel's, or the system's. */
  readonly wireguard: string | null;
  /** Folder of jars. */
  readonly cassandra: string;
}

/** The state folder, by the same rule as the CLI's. */
export const realHome = (): string =>
  process.env['SALLYPORT_HOME'] ??
  join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'sallyport');

/** `sallyport test` installs it; who runs a file of tests by hand is told what is missing. */
export function demandAzurite(): void {
  if (!existsSync(join(realHome(), 'tools', 'azurite')))
    throw new Error('Azurite is not installed for the tests. Run: ./sallyport services install');
}

/** As {@link demandAzurite}: Debian's, which no test fetches by itself. */
export function demandPrometheus(): void {
  if (!existsSync('/usr/bin/prometheus'))
    throw new Error(
      'Prometheus is not installed. Run: apt-get install -y --no-install-recommends prometheus',
    );
}

/** Two files of tests that run at once install nothing at the same time: the second waits, and finds it there. */
export async function installing<T>(what: string, work: () => Promise<T>): Promise<T> {
  const home = findHome(process.env);
  await createHomeFolders(home);
  const { done } = await until(
    `${what} to be installed`,
    () =>
      alone(home, 'test', work).then(
        (done) => ({ done }),
        (error: unknown) => {
          if (error instanceof UserError && error.code === 'AtWork') return undefined;
          throw error;
        },
      ),
    { timeoutMs: 1_800_000, everyMs: 500 },
  );
  return done;
}

/** Undefined before set-up ran. */
export function findTools(): Tools | undefined {
  const path = join(realHome(), 'tools', 'tools.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Tools) : undefined;
}
