/** Finds a stack's processes by descent from the pids that it wrote down, never by name alone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

export interface Process {
  readonly pid: number;
  /** Name of the machine it runs in, by its UTS namespace. */
  readonly hostname: string;
  readonly command: string;
  /** Base name of the executable. */
  readonly program: string;
}

/** Everything that runs below control's loop and the fabric's PID 1, as the host sees it. */
export async function processesOf(home: string): Promise<readonly Process[]> {
  const roots = ['control.pid', 'fabric.pid', 'fabric-init.pid'].flatMap((name) => {
    try {
      return [Number(readFileSync(join(home, 'run', name), 'utf8').split(' ')[0])];
    } catch {
      return [];
    }
  });
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined;
    if (parent !== undefined) parents.set(pid, parent);
  }
  const below = (pid: number): boolean =>
    roots.includes(pid) || (parents.has(pid) && below(parents.get(pid)!));
  const found: Process[] = [];
  for (const pid of [...parents.keys()].filter(below)) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const hostname = (await exec('nsenter', ['-t', String(pid), '-u', 'hostname'])).stdout.trim();
      found.push({ pid, hostname, command, program: basename(readlinkSync(`/proc/${pid}/exe`)) });
    } catch {
      // It ended between being listed and being read.
    }
  }
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1],
    );
  } catch {
    return undefined;
  }
}

/** By the program that runs, not by what its wrappers' arguments say. */
const runs = (program: string, lastArgument?: string) => (one: Process) =>
  one.program === program && (lastArgument === undefined || one.command.endsWith(` ${lastArgument}`));

export const roles = {
  control: runs('node', 'control'),
  fabric: runs('node', 'fabric'),
  controlDoor: runs('node', 'control-door'),
  operator: runs('node', 'operator'),
  agent: runs('node', 'node'),
  tunnel: runs('wireguard-go'),
  cassandra: runs('java'),
} as const satisfies Record<string, (one: Process) => boolean>;

/** Argument list that runs a program as root of the machine in which `inside` runs. */
export const enter = (inside: Process, ...argv: readonly string[]): readonly string[] => [
  'nsenter',
  '-t',
  String(inside.pid),
  '-U',
  '-n',
  '-m',
  ...argv,
];
