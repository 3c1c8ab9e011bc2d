/**
 * The clients of the contract tests, unmodified: the SDKs are installed by npm and pip with what is locked here, beside the
 * other tools and not among the project's own modules, which every build of a test's program copies.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { azVersion } from '../../../src/cli/az/install.ts';
import { exec } from '../../../src/lib/exec.ts';
import { installing, realHome } from '../../harness/tools.ts';

export const sdkNames = ['node', 'python'] as const;
export type SdkName = (typeof sdkNames)[number];
export const clientNames = [...sdkNames, 'az'] as const;
export type ClientName = (typeof clientNames)[number];

/** Its packages, for the page. */
export const clients: Readonly<Record<ClientName, { readonly title: string; readonly packages: string }>> = {
  node: {
    title: 'JavaScript',
    packages:
      '`@azure/arm-cosmosdb` 17.0.0 (api-version 2026-03-15), `@azure/arm-network` 39.0.0, `@azure/identity` 4.14.1',
  },
  python: {
    title: 'Python',
    packages:
      '`azure-mgmt-cosmosdb` 10.1.0b1 (api-version 2026-04-01-preview), `azure-mgmt-network` 33.1.0, `azure-identity` 1.27.0',
  },
  az: {
    title: 'az',
    packages: `\`azure-cli\` ${azVersion}, as it comes and with the extension of this project`,
  },
};

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = (client: SdkName): string => join(realHome(), 'tools', 'clients', client);
const bounds = { timeoutMs: 300_000 };

/** Installs what is locked here, once; az has set-up's own way. */
export const installSdks = (): Promise<void> => installing('the SDKs', install);

async function install(): Promise<void> {
  await installOne('node', ['package.json', 'package-lock.json'], (to) =>
    exec('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: to, ...bounds }),
  );
  await installOne('python', ['requirements.txt'], async (to) => {
    await exec('python3', ['-m', 'venv', join(to, 'venv')], bounds);
    const pip = join(to, 'venv/bin/pip');
    await exec(pip, ['install', '--disable-pip-version-check', '-r', join(to, 'requirements.txt')], bounds);
  });
}

async function installOne(
  client: SdkName,
  files: readonly string[],
  work: (to: string) => Promise<unknown>,
): Promise<void> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(here(file)));
  const wanted = hash.digest('hex');
  const to = folder(client);
  const stamp = join(to, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const file of files) copyFileSync(here(file), join(to, file));
  await work(to);
  writeFileSync(stamp, wanted);
}

/** How a client is run: our authority trusted as its users are told to, and nothing of this process's surroundings. */
export function commandOf(
  client: SdkName,
  authority: string,
): { readonly command: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  const env = { PATH: process.env['PATH'], HOME: folder(client), LANG: 'C.UTF-8' };
  return client === 'node'
    ? {
        command: process.execPath,
        args: [here('node.mjs')],
        env: { ...env, NODE_EXTRA_CA_CERTS: authority, CONTRACT_CLIENTS: folder(client) },
      }
    : {
        command: join(folder(client), 'venv/bin/python'),
        args: [here('python.py')],
        env: { ...env, REQUESTS_CA_BUNDLE: authority },
      };
}
