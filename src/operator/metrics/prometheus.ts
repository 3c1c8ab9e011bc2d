/** The operator's Prometheus as a process: started, told of other nodes, ended with its role. It never takes over from another. */
import { spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { writeFileAtomic } from '../../lib/files.ts';
import type { Log } from '../../lib/log.ts';
import { createTally } from '../tally.ts';
import { authorityFile, configurationFile, memoryFor } from './files.ts';
import { askCollector } from './loopback.ts';
import { sandboxed } from './sandbox.ts';
import { plain, wordsOf } from './words.ts';

export interface Prometheus {
  /** Has it run with that configuration. Throws where it can't, in words for people; the next call tries again. */
  ensure(configuration: string, nodes: number): Promise<void>;
  /** Milliseconds; undefined: it doesn't run. */
  since(): number | undefined;
  /** It hands over what it has first, where whoever takes it is there. */
  end(): Promise<void>;
}

export interface PrometheusOptions {
  readonly program: string;
  /** Of its files. */
  readonly folder: string;
  /** PEM: who signs what nodes show. */
  readonly authority: string;
  /** Its own, on loopback. */
  readonly port: number;
  readonly onExit: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** It may take so long until it listens. */
const startsWithinMs = 15_000;
const endsWithinMs = 4_000;
const longestPauseMs = 60_000;
/** One that has lived this long has not died in a row with the one before. */
const healthyMs = 120_000;
const wordsKept = 4;

const install = 'apt-get install -y --no-install-recommends prometheus && systemctl disable --now prometheus';

export function createPrometheus(options: PrometheusOptions): Prometheus {
  const { program, folder, port, clock, log } = options;
  const configurationFolder = join(folder, 'configuration');
  const data = join(folder, 'data');
  const said = createTally(options);
  let child: ChildProcess | undefined;
  let startedAt = 0;
  let inForce = '';
  let deaths = 0;
  let notBefore = 0;
  let words: string[] = [];

  function hear(line: string): void {
    // What Go writes after its last word is where each of its threads was.
    if (words.some(isLast)) return;
    const word = wordsOf(line);
    words = isLast(word) ? [word] : [...words, word].slice(-wordsKept);
    said.note('Prometheus says', { words: word });
  }

  async function start(configuration: string, nodes: number): Promise<void> {
    await access(program).catch((error: unknown) => {
      // Said in the sentence too: that alone goes up with the report.
      const why = `Prometheus is not installed on the host of the operator's machine. Run as root: ${install}`;
      throw new UserError('NoPrometheus', why, install, error);
    });
    // What it was about to hand over when it ended it would not hand over now: it begins anew, and what was handed over is safe.
    await rm(data, { recursive: true, force: true });
    await mkdir(data, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(configurationFolder, authorityFile), options.authority);
    await writeFileAtomic(join(configurationFolder, configurationFile), configuration);
    const { aim, most } = memoryFor(nodes);
    const [command, ...args] = sandboxed(commandLine(program, configurationFolder, data, port), {
      ...{ configuration: configurationFolder, data, memory: most, env: { GOMEMLIMIT: String(aim) } },
    });
    words = [];
    const starting = spawn(command, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    starting.once('error', (error) => ended(error.message));
    starting.once('exit', (code, by) => ended(String(code ?? by)));
    createInterface({ input: starting.stderr }).on('line', hear);
    child = starting;
    startedAt = clock.now();
    inForce = configuration;
    log.info('metrics are collected', { nodes });

    function ended(how: string): void {
      if (child !== starting) return;
      child = undefined;
      deaths = clock.now() - startedAt > healthyMs ? 1 : deaths + 1;
      notBefore = clock.now() + Math.min(1_000 * 2 ** (deaths - 1), longestPauseMs);
      log.error('Prometheus ended by itself', { how, deaths, words });
      options.onExit();
    }
  }

  async function tell(configuration: string): Promise<void> {
    if (configuration === inForce) return;
    await writeFileAtomic(join(configurationFolder, configurationFile), configuration);
    try {
      const { status, text } = await askCollector(port, 'POST', '/-/reload');
      if (status !== 200) throw new Error(plain(text));
      inForce = configuration;
    } catch (error) {
      if (clock.now() - startedAt < startsWithinMs) return;
      throw new Error(`Prometheus won't take its configuration: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  return {
    since: () => (child ? startedAt : undefined),
    async ensure(configuration, nodes) {
      said.flush();
      if (child) return tell(configuration);
      if (clock.now() < notBefore) throw new Error(deathWords(words));
      return start(configuration, nodes);
    },
    async end() {
      const ending = child;
      child = undefined;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
      const gone = new Promise((resolve) => ending.once('exit', resolve));
      const timer = setTimeout(() => ending.kill('SIGKILL'), endsWithinMs);
      await askCollector(port, 'POST', '/-/quit').catch(() => ending.kill('SIGKILL'));
      await gone;
      clearTimeout(timer);
      log.info('metrics are collected no more');
    },
  };
}

/** Its own buffer is passed through: what it holds is on the role's disk within seconds, and is then dropped here. */
const commandLine = (
  program: string,
  configuration: string,
  data: string,
  port: number,
): readonly string[] => [
  program,
  ...['--enable-feature=agent', `--config.file=${join(configuration, configurationFile)}`],
  ...[`--storage.agent.path=${data}`, '--storage.agent.wal-truncate-frequency=5m'],
  ...['--storage.agent.retention.min-time=1m', '--storage.agent.retention.max-time=10m'],
  ...[`--web.listen-address=127.0.0.1:${port}`, '--web.enable-lifecycle'],
  ...['--storage.remote.flush-deadline=2s', '--log.level=warn', '--log.format=json'],
];

const isLast = (word: string): boolean => /^(fatal error|panic): /.test(word);

function deathWords(words: readonly string[]): string {
  if (words.some((word) => /unknown long flag/.test(word)))
    return "Prometheus on the host of the operator's machine is older than 2.32, which collects without keeping: install a newer one.";
  if (words.some((word) => /out of memory/.test(word)))
    return 'Prometheus took more memory than it may, and is started again: a node exports very much, or other names each time.';
  return `Prometheus ended by itself, and is started again. Its last words: ${words.join(' | ') || 'none'}`;
}
