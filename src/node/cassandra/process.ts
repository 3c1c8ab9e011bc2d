import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, stat, statfs, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { faultOf, type Fault } from '../../lib/errors.ts';
import { readFileIfThere, readJson, writeJson } from '../../lib/files.ts';
import type { Log } from '../../lib/log.ts';

/** What the agent notes about the process, on disk: an agent's successor adopts by this. */
export interface ProcessNotes {
  /** The process as this machine numbers it, and when it started: a pid alone is reused. */
  readonly pid: number | null;
  readonly startTime: string | null;
  /** This boot: after another one the pid is nobody's. */
  readonly boot: string;
  readonly starts: number;
  /** Deaths without having been asked to, in a row. */
  readonly deaths: number;
  /** Not before this, milliseconds since the epoch. */
  readonly notBefore: number;
  readonly error: Fault | null;
}

export interface CassandraProcess {
  /** Alive now? Notes a death that nobody has noted yet. */
  observe(): Promise<ProcessNotes>;
  start(command: readonly string[], infoFd: number): Promise<void>;
  /** Asks it to drain and end; kills it when it takes too long. */
  stop(graceMs: number, signal: AbortSignal): Promise<void>;
  rotateOutput(): Promise<void>;
}

const outputLimit = 4 << 20;
/** Bytes: two segments of the commit log. */
const littleRoom = 64 << 20;

/** 1 s after the first death, then doubling up to a minute. */
export const backOffMs = (deaths: number): number =>
  deaths === 0 ? 0 : Math.min(1_000 * 2 ** (deaths - 1), 60_000);

/** A process that has lived this long has not died "in a row" with the one before. */
const healthyMs = 120_000;

export function createProcess(options: {
  readonly notes: string;
  readonly logFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onExit: () => void;
}): CassandraProcess {
  const { clock, log } = options;
  const output = join(options.logFolder, 'output.log');
  let startedAt = clock.now();
  let stopping = false;

  const read = async (): Promise<ProcessNotes> =>
    (await readJson<ProcessNotes>(options.notes).catch(() => undefined)) ?? {
      pid: null,
      startTime: null,
      boot: bootId(),
      starts: 0,
      deaths: 0,
      notBefore: 0,
      error: null,
    };
  const note = async (notes: ProcessNotes): Promise<ProcessNotes> => {
    await writeJson(options.notes, notes, 0o600);
    return notes;
  };
  const alive = (notes: ProcessNotes): boolean =>
    notes.pid !== null && notes.boot === bootId() && notes.startTime === startTimeOf(notes.pid);

  async function observe(): Promise<ProcessNotes> {
    const notes = await read();
    if (notes.pid === null || alive(notes)) return notes;
    if (stopping || notes.boot !== bootId())
      return note({ ...notes, pid: null, startTime: null, boot: bootId() });
    const deaths = clock.now() - startedAt > healthyMs ? 1 : notes.deaths + 1;
    const error = {
      code: 'CassandraDied',
      message: `Cassandra ended by itself. ${await room(options.logFolder)}${await lastWords(options.logFolder)}`,
    };
    log.error('Cassandra ended by itself', { deaths, lastWords: error.message });
    return note({
      ...notes,
      pid: null,
      startTime: null,
      deaths,
      notBefore: clock.now() + backOffMs(deaths),
      error,
    });
  }

  return {
    observe,
    async start(command, infoFd) {
      const notes = await read();
      if (alive(notes)) return;
      stopping = false;
      await mkdir(options.logFolder, { recursive: true, mode: 0o700 });
      const sink = openSync(output, 'a', 0o600);
      const stdio = Array.from({ length: infoFd + 1 }, (_, fd) =>
        fd === 0 ? 'ignore' : fd === infoFd ? 'pipe' : sink,
      );
      try {
        // In a session of its own: it outlives the agent, which adopts it again.
        const child = spawn(command[0]!, command.slice(1), {
          detached: true,
          stdio: stdio as ('ignore' | 'pipe' | number)[],
          env: { PATH: process.env['PATH'] },
        });
        const pid = await pidFrom(child, infoFd);
        child.unref();
        child.once('exit', options.onExit);
        startedAt = clock.now();
        await note({
          ...notes,
          pid,
          startTime: startTimeOf(pid) ?? null,
          boot: bootId(),
          starts: notes.starts + 1,
        });
        log.info('Cassandra started', { pid, starts: notes.starts + 1 });
      } catch (error) {
        const deaths = notes.deaths + 1;
        const fault = faultOf(error);
        await note({ ...notes, deaths, notBefore: clock.now() + backOffMs(deaths), error: fault });
        log.error('Cassandra could not be started', { error, lastWords: await lastWords(options.logFolder) });
      } finally {
        closeSync(sink);
      }
    },
    async stop(graceMs, signal) {
      const notes = await observe();
      if (notes.pid === null) return;
      stopping = true;
      signalProcess(notes, 'SIGTERM');
      const deadline = clock.now() + graceMs;
      while (alive(notes) && clock.now() < deadline && !signal.aborted) await clock.sleep(100);
      if (alive(notes) && !signal.aborted) signalProcess(notes, 'SIGKILL');
      while (alive(notes) && !signal.aborted) await clock.sleep(50);
      await note({ ...(await read()), pid: null, startTime: null, deaths: 0, notBefore: 0, error: null });
      log.info('Cassandra stopped');
    },
    async rotateOutput() {
      const size = (await stat(output).catch(() => undefined))?.size ?? 0;
      if (size < outputLimit) return;
      // The process keeps the file open for appending: copied and emptied, not renamed.
      await copyFile(output, `${output}.1`);
      await truncate(output, 0);
    },
  };
}

function signalProcess(notes: ProcessNotes, signal: NodeJS.Signals): void {
  try {
    process.kill(notes.pid!, signal);
  } catch {
    // it ended in between
  }
}

/** bwrap says the pid before it runs the program. */
function pidFrom(child: ReturnType<typeof spawn>, fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const pipe = child.stdio[fd] as NodeJS.ReadableStream;
    child.once('error', reject);
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
      if (pid) resolve(Number(pid));
    });
    pipe.on('error', reject);
    pipe.on('end', () =>
      reject(new Error('The confinement of Cassandra could not be made; see output.log.')),
    );
  });
}

/** Clock ticks since boot at which a process started; undefined where there is none, or only its remains. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The machine's own life: a PID namespace begins anew with each, whatever the host's boot id says. */
function bootId(): string {
  const host = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${host}/${startTimeOf(1) ?? ''}`;
}

/** Cassandra's words for a full disk are many, and few of them say so. */
async function room(folder: string): Promise<string> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk && disk.bavail * disk.bsize < littleRoom
    ? 'Its disk is full: free some, and it starts again by itself. '
    : '';
}

/** The end of what it said, for people: the first thing they would look up. */
async function lastWords(folder: string): Promise<string> {
  const tail = async (name: string): Promise<string[]> =>
    ((await readFileIfThere(join(folder, name)).catch(() => undefined)) ?? '')
      .trimEnd()
      .split('\n')
      .slice(-200);
  return wordsOf(await tail('system.log'), await tail('output.log'));
}

/** Without times and threads: the same death again is the same message. */
export function wordsOf(system: readonly string[], output: readonly string[]): string {
  const failures = system
    .filter((line) => /^(ERROR|FATAL)/.test(line))
    .map((line) => line.replace(/^(\w+) +\[[^\]]*\] \S+ \S+ \S+ - /, '$1 '));
  const said = failures.length > 0 ? failures : output;
  const text = [...new Set(said.slice(-2))].join(' | ').slice(-600).trim();
  return text === '' ? 'It said nothing.' : `Its last words: ${text}`;
}
