import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { until, type Clock } from '../../lib/clock.ts';
import { diskPath, filterPath, infoPath } from './ground.ts';
import { kill, markOf, type ProcessMark } from '../../lib/process.ts';

/**
 * Starts a command made by {@link machineCommand}, in a session of its own and tied to nothing of ours. bubblewrap says
 * the pid of its init in a file that outlives us.
 */
export async function launch(
  command: readonly [string, ...string[]],
  info: string,
  clock: Clock,
  onEnd: () => void,
): Promise<ProcessMark> {
  await mkdir(dirname(info), { recursive: true });
  await rm(info, { force: true });
  const filter = openSync(filterPath, 'r');
  const fd = openSync(info, 'wx', 0o600);
  let said = '';
  let ended: string | undefined;
  const child = spawn(command[0], command.slice(1), {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    // As infoFd and filterFd count them.
    stdio: ['ignore', 'ignore', 'pipe', fd, filter],
  });
  for (const open of [fd, filter]) closeSync(open);
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code) => {
    ended ??= `bubblewrap ended with ${code ?? 'a signal'}: ${said.trim() || 'no message'}`;
    onEnd();
  });
  const pid = await until(
    'bubblewrap to make the machine',
    async () => {
      const match = /"child-pid":\s*(\d+)/.exec(await readFile(info, 'utf8'));
      if (match) return Number(match[1]);
      if (ended !== undefined) throw new Error(ended);
      return undefined;
    },
    { timeoutMs: 10_000, everyMs: 5, clock },
  );
  const mark = markOf(pid);
  if (!mark) throw new Error(ended ?? `The machine ended at once: ${said.trim() || 'no message'}`);
  return mark;
}

/** A machine that an earlier process started and could not write down: its pid is in bubblewrap's own note. */
export function adoptable(machineId: string): ProcessMark | undefined {
  try {
    const pid = Number(/"child-pid":\s*(\d+)/.exec(readFileSync(infoPath(machineId), 'utf8'))?.[1]);
    const mark = Number.isInteger(pid) ? markOf(pid) : undefined;
    const ours =
      mark && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(diskPath(machineId));
    return ours ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** Ends what bubblewrap made on this disk and nobody knows of: two machines must not share one. */
export async function killStrays(disk: string): Promise<void> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const args = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const mark = args[0] === 'bwrap' && args.includes(disk) ? markOf(Number(name)) : undefined;
    if (mark) await kill(mark);
  }
}
