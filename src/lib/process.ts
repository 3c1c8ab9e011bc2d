import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

/** A process by id and start time: an id alone could be another's by now. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly start: string;
}

/** Undefined where there is no such process, or it has died and only waits to be reaped. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, start: fields[19]! };
  } catch {
    return undefined;
  }
}

export const isAlive = (mark: ProcessMark): boolean => markOf(mark.pid)?.start === mark.start;

/** Kills a process, and with a namespace's init all that is in it. Returns when it is gone. */
export async function kill(mark: ProcessMark, timeoutMs = 5_000): Promise<void> {
  if (!isAlive(mark)) return;
  process.kill(mark.pid, 'SIGKILL');
  for (let waited = 0; isAlive(mark); waited += 20) {
    if (waited >= timeoutMs)
      throw new Error(`Process ${mark.pid} was killed and is still there after ${timeoutMs} ms.`);
    await after(20);
  }
}
