import { readFileSync } from 'node:fs';
import { readFileIfThere } from '../../lib/files.ts';
import type { Clock } from '../../lib/clock.ts';
import { until } from '../../lib/clock.ts';

/** A process as a pid file names it: its id alone could be another's by now. */
export interface ProcessMark {
  readonly pid: number;
  /** Start time in clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly start: string;
}

/** Undefined where there is no such process, or it has died and only waits to be reaped. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export const isAlive = (mark: ProcessMark | undefined): mark is ProcessMark =>
  mark !== undefined && startOf(mark.pid) === mark.start;

/** Reads `PID START`, as keep.sh writes it. */
export async function readMark(path: string): Promise<ProcessMark | undefined> {
  const match = /^(\d+) (\d+)\s*$/.exec((await readFileIfThere(path)) ?? '');
  return match ? { pid: Number(match[1]), start: match[2]! } : undefined;
}

/** When it was started, as milliseconds since the epoch. */
export function startedAt(mark: ProcessMark): number {
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  return (boot + Number(mark.start) / 100) * 1000;
}

/** Ends a process in good order, and after `graceMs` by force. Returns when it is gone. */
export async function end(
  mark: ProcessMark,
  options: { readonly graceMs: number; readonly clock: Clock },
): Promise<void> {
  if (!isAlive(mark)) return;
  const gone = () => (isAlive(mark) ? undefined : true);
  process.kill(mark.pid, 'SIGTERM');
  try {
    await until(`process ${mark.pid} to end`, gone, {
      timeoutMs: options.graceMs,
      clock: options.clock,
      everyMs: 50,
    });
  } catch {
    if (isAlive(mark)) process.kill(mark.pid, 'SIGKILL');
    await until(`process ${mark.pid} to end after it was killed`, gone, {
      timeoutMs: 10_000,
      clock: options.clock,
      everyMs: 50,
    });
  }
}
