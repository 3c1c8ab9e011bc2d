/**
 * Runs the commands with real az against a control whose levels below are played. Started by contract.test.ts in a network
 * that has nothing but loopback: whoever asks outside, fails. Prints one JSON line for each command.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configureAz } from '../../../src/cli/az/configure.ts';
import { environmentFor, placeFor } from '../../../src/cli/az/place.ts';
import { findHome } from '../../../src/cli/home.ts';
import { execStatus } from '../../../src/lib/exec.ts';
import { writeFileAtomic } from '../../../src/lib/files.ts';
import { authorityFile } from '../../../src/cli/arm/session.ts';
import { createHttps } from '../../../src/cli/arm/http.ts';
import { playedControl } from '../../harness/played-control.ts';
import { recordExchanges, type Exchange } from '../../harness/recorder.ts';
import { onlyLoopback } from '../alone.ts';
import { commands, type AzCommand } from './commands.ts';
import { at, fill, split } from './words.ts';

/** What was asked, and what came of it. */
export interface Answered {
  readonly line: string;
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly seconds: number;
  /** Why it is not the right answer; null: it is. */
  readonly wrong: string | null;
  /** What went over the wire meanwhile. */
  readonly exchanges: readonly Exchange[];
}

const az = process.env['AZ']!;
const parties = ['customer', 'provider'] as const;

async function run(folder: string): Promise<void> {
  await using played = await playedControl();
  const { endpoint } = played.control;
  const home = findHome({ SALLYPORT_HOME: folder });
  const signal = new AbortController().signal;
  const authority = await readFile(played.authority, 'utf8');
  await writeFileAtomic(authorityFile(home), authority);
  const about = await createHttps(authority, signal)({ method: 'GET', url: `${endpoint}/sallyport/az` });
  const extension = JSON.parse(about.text) as { path: string; sha256: string };
  const outer = { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8' };
  const progress = { show: () => undefined, clear: () => undefined };

  const environments = new Map<string, NodeJS.ProcessEnv>();
  for (const as of parties) {
    const place = placeFor(home, as, undefined);
    const env = { ...outer, ...environmentFor(home, place, { path: az, onPath: false }, outer) };
    const { clientId, secret: clientSecret, subscriptionId } = played[as];
    const session = {
      endpoint,
      authority,
      tenantId: played.tenantId,
      clientId,
      clientSecret,
      subscriptionId,
    };
    await configureAz({ home, progress, signal }, { az, place, session, env, extension });
    environments.set(as, env);
  }

  const known: Record<string, string> = {
    sub: played.customer.subscriptionId,
    templates: fileURLToPath(new URL('./templates', import.meta.url)),
  };
  for (const command of commands) {
    const began = performance.now();
    const words = split(command.line).map((word) => fill(word, known));
    const env = {
      ...environments.get(command.as ?? 'customer'),
      ...(command.stock && { AZURE_EXTENSION_DIR: join(folder, 'none') }),
    };
    const format = words.includes('-o') ? [] : ['-o', 'json'];
    const exchanges: Exchange[] = [];
    const recording = recordExchanges((exchange) => exchanges.push(exchange));
    const ran = await execStatus(az, [...words, ...format], { env, timeoutMs: 120_000 });
    recording.stop();
    const wrong = judge(command, ran, known);
    if (known['pls']) known['plsName'] = known['pls'].split('/').at(-1)!;
    const answered: Answered = {
      line: words.join(' '),
      exitCode: ran.exitCode,
      stderr: ran.stderr.slice(-2_000),
      seconds: Math.round((performance.now() - began) / 100) / 10,
      wrong,
      exchanges,
    };
    process.stdout.write(`${JSON.stringify(answered)}\n`);
  }
}

function judge(
  command: AzCommand,
  ran: { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string },
  known: Record<string, string>,
): string | null {
  if (command.says && !command.says.test(ran.stderr)) return `it does not say ${command.says}: ${ran.stderr}`;
  if (command.refused !== undefined) {
    if (ran.exitCode === 0) return `it was not refused with ${command.refused}`;
    // az shows what a template is refused for as JSON.
    const right = new RegExp(`^ERROR: (\\(${command.refused}\\) |\\{"code": "${command.refused}")`, 'm').test(
      ran.stderr,
    );
    return right ? null : `it was not refused with ${command.refused}: ${ran.stderr}`;
  }
  if (ran.exitCode !== 0) return ran.stderr || `it ended with ${ran.exitCode}`;
  if (/Traceback/.test(ran.stderr)) return ran.stderr;
  if (!command.take && !command.holds) return null;
  const answer = JSON.parse(ran.stdout) as unknown;
  for (const [name, path] of Object.entries(command.take ?? {})) {
    const value = at(answer, path);
    if (typeof value !== 'string') return `there is no ${path} in ${ran.stdout}`;
    known[name] = value;
  }
  for (const [path, value] of Object.entries(command.holds ?? {})) {
    const wanted = typeof value === 'string' ? fill(value, known) : value;
    const found = at(answer, path);
    if (found !== wanted)
      return `${path || 'the answer'} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`;
  }
  return null;
}

if (import.meta.main) {
  await onlyLoopback();
  const folder = await mkdtemp(join(tmpdir(), 'sp-az-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.exit(0);
}
