import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FabricIntent } from '../../exchange/intents/fabric.ts';
import { diskName } from '../../fabric/names.ts';
import { readJson } from '../../lib/files.ts';
import type { Home } from '../home.ts';

export interface LogFile {
  readonly name: string;
  readonly path: string;
}

export interface KnownMachine {
  readonly id: string;
  readonly kind: string;
  readonly hostname: string;
  readonly network: string;
  readonly address: string;
  /** Process id in the fabric's namespace; null while it has none. */
  readonly pid: number | null;
}

/** Machines by what the fabric wrote down, each with the label of its network: a virtual network's ARM id. */
export async function knownMachines(home: Home): Promise<readonly KnownMachine[]> {
  const state = await readJson<{ readonly machines: readonly KnownMachine[] }>(
    join(home.fabric, 'state.json'),
  );
  const intent = await readJson<{ readonly document: Pick<FabricIntent, 'networks'> }>(
    join(home.fabric, 'intent.json'),
  );
  const labels = new Map(intent?.document.networks.map(({ id, label }) => [id, label]));
  return (state?.machines ?? []).map((machine) => ({
    ...machine,
    network: labels.get(machine.network) ?? machine.network,
  }));
}

/** Every log of this installation: control's, the fabric's, and those of each machine. */
export async function logFiles(home: Home): Promise<readonly LogFile[]> {
  const own = ['control', 'fabric'].map((name) => ({ name, path: join(home.log, `${name}.log`) }));
  const machines = await knownMachines(home);
  const nested = await Promise.all(
    machines.map(async ({ id, hostname }) => {
      const folder = join(home.fabric, 'machines', diskName(id), 'log');
      const names = await readdir(folder).catch(() => [] as string[]);
      return names
        .filter((name) => name.endsWith('.log'))
        .sort()
        .map((name) => ({ name: `${hostname}/${name.slice(0, -'.log'.length)}`, path: join(folder, name) }));
    }),
  );
  return [...own, ...nested.flat()];
}

/** The message of the last error in a log of ours, with its cause; undefined where there is none. */
export async function lastError(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-50).reverse();
  for (const line of lines) {
    try {
      const entry = JSON.parse(line) as {
        readonly level?: string;
        readonly message?: string;
        readonly error?: string;
      };
      if (entry.level === 'error') return entry.error ? `${entry.message}: ${entry.error}` : entry.message;
    } catch {
      if (line !== '') return line; // what a program below the role had to say
    }
  }
  return undefined;
}
