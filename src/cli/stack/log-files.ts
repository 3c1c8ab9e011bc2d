import { constants } from 'node:fs';
import { lstat, open, readdir, readFile } from 'node:fs/promises';
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
    machines.flatMap(({ id, hostname }) => {
      const disk = join(home.fabric, 'machines', diskName(id));
      return [
        logsBelow(disk, ['log'], hostname),
        logsBelow(disk, ['cassandra', 'log'], `${hostname}/cassandra`),
      ];
    }),
  );
  return [...own, ...nested.flat()];
}

/** The disk is the machine's: its root may have put a link to a file of the host's in a folder's or a log's place. */
async function logsBelow(
  disk: string,
  folders: readonly string[],
  prefix: string,
): Promise<readonly LogFile[]> {
  let folder = disk;
  for (const name of folders) {
    folder = join(folder, name);
    if (!(await lstat(folder).catch(() => undefined))?.isDirectory()) return [];
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /^[A-Za-z0-9._-]+\.log$/.test(entry.name))
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ name: `${prefix}/${name.slice(0, -'.log'.length)}`, path: join(folder, name) }));
}

/** A log as bytes from `from` to `to`: never through a link, never a pipe that nobody writes to. */
export async function readLog(path: string, from: number, to: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(Math.max(0, to - from));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    return printable(buffer.subarray(0, bytesRead).toString());
  } finally {
    await file.close();
  }
}

/** What a machine wrote is shown, and can't steer the terminal. */
const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD');

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
