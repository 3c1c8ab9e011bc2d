/** The proxy as a process: started, adopted by whoever comes after us, told to take another configuration, ended. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { until, type Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { execStatus } from '../lib/exec.ts';
import { readFileIfThere, readJson, writeJson } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isAlive, kill, markOf, type ProcessMark } from '../lib/process.ts';
import { gateConfiguration } from '../network/gate.ts';
import { ask, NoAnswer, revisionOf, workersOf } from './master.ts';
import type { GatePaths } from './paths.ts';

export interface Proxy {
  /** What runs, as its newest worker says it; undefined: nothing does. Ends a master that lost its workers. */
  running(): Promise<{ readonly revision: string } | undefined>;
  /** Why the proxy would not take a configuration; undefined: it would. */
  flawOf(configuration: string): Promise<string | undefined>;
  /** Has it run with `current`, whose revision this is: by a reload where it runs, else by a start. */
  take(revision: string): Promise<void>;
  /** Ends it with all its workers: nothing passes. */
  end(): Promise<void>;
  /** Starts in the life of this role. */
  starts(): number;
}

const readyWithinMs = 10_000;

export interface ProxyOptions {
  readonly paths: GatePaths;
  readonly program: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The proxy ended by itself. */
  readonly onExit: () => void;
}

export function createProxy(options: ProxyOptions): Proxy {
  const { paths, program, clock, log } = options;
  const configuration = join(paths.current, gateConfiguration);
  let starts = 0;

  async function master(): Promise<ProcessMark | undefined> {
    const noted = await readJson<ProcessMark>(paths.process).catch(() => undefined);
    return noted && isAlive(noted) ? noted : undefined;
  }

  async function end(): Promise<void> {
    const mark = await master();
    if (mark) await kill(mark);
    // Workers outlive a master that was killed, and what they let through is nobody's will any more.
    for (const stray of await processesOf(configuration)) await kill(stray);
    await rm(paths.process, { force: true });
  }

  const running = async (): Promise<{ readonly revision: string } | undefined> => {
    if (!(await master())) return undefined;
    try {
      const { current } = await workersOf(paths.master);
      const revision = current && (await revisionOf(paths.master, current));
      return revision ? { revision } : undefined;
    } catch (error) {
      // A slow one is not ended for that, with all that it carries.
      if (error instanceof NoAnswer) throw error;
      return undefined;
    }
  };

  async function start(): Promise<void> {
    await end();
    await mkdir(dirname(paths.master), { recursive: true, mode: 0o700 });
    await chmod(dirname(paths.master), 0o700);
    await rm(paths.master, { force: true });
    const traffic = openSync(paths.traffic, 'a', 0o600);
    await rm(paths.complaints, { force: true });
    const complaints = openSync(paths.complaints, 'a', 0o600);
    try {
      const [command, ...args] = confined(program, configuration, paths.master);
      const child = spawn(command, args, {
        // In a session of its own: it outlives this role, whose successor adopts it.
        detached: true,
        cwd: '/',
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', traffic, complaints],
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.once('exit', options.onExit);
      child.unref();
      const mark = markOf(child.pid!);
      if (mark) await writeJson(paths.process, mark);
    } finally {
      for (const fd of [traffic, complaints]) closeSync(fd);
    }
    starts++;
  }

  return {
    running,
    end,
    starts: () => starts,
    async flawOf(file) {
      const said = await execStatus(program, ['-c', '-q', '-f', file]).catch((error: unknown) => {
        const next = 'apt-get install -y --no-install-recommends haproxy';
        // Said in the sentence too: that alone goes up with the report.
        const why = `${program} can't be run on the gate's machine, so nothing passes. Install it on its host: ${next}`;
        throw new UserError('NoProxy', why, next, error);
      });
      return said.exitCode === 0 ? undefined : lastWords(`${said.stdout}${said.stderr}`);
    },
    async take(revision) {
      if (await running()) {
        // The master closes this connection as it starts itself anew.
        await ask(paths.master, 'reload').catch(() => undefined);
      } else {
        await start();
      }
      await until(
        'the proxy to run with its configuration',
        async () => {
          if ((await running())?.revision === revision) return true;
          if (await master()) return undefined;
          throw new Error(`The proxy ended. ${lastWords((await readFileIfThere(paths.complaints)) ?? '')}`);
        },
        { timeoutMs: readyWithinMs, everyMs: 20, clock },
      );
      log.info('the proxy runs', { revision });
    },
  };
}

/**
 * It listens on high ports and needs no capability: whoever takes it over can't touch the rules of its machine. It keeps the
 * user, whose files it reads.
 */
const confined = (program: string, configuration: string, socket: string): readonly [string, ...string[]] => [
  'setpriv',
  ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
  ...[program, '-W', '-S', `${socket},mode,600,level,admin`, '-f', configuration],
];

/** By the configuration that they were started with, and not by name: another proxy of the host's is none of ours. */
async function processesOf(configuration: string): Promise<readonly ProcessMark[]> {
  const found: ProcessMark[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const args = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const mark = args.includes(configuration) && args.includes('-S') ? markOf(Number(name)) : undefined;
    if (mark) found.push(mark);
  }
  return found;
}

/** What it calls an alert; else the end of what it said. */
function lastWords(text: string): string {
  const lines = text.trim().split('\n');
  const alerts = lines.filter((line) => line.includes('[ALERT]'));
  const words = (alerts.length > 0 ? alerts : lines).slice(-3).join(' | ');
  return words.replace(/\[ALERT\]\s+\(\d+\) : /g, '').slice(-600) || 'It said nothing.';
}
