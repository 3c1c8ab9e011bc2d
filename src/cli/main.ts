import { readFile } from 'node:fs/promises';
import { systemClock } from '../lib/clock.ts';
import { createArmClient } from './arm/client.ts';
import { findSession } from './arm/session.ts';
import type { Command, Outcome } from './command.ts';
import { commands } from './registry.ts';
import type { CliContext } from './context.ts';
import { describeError, exitCodeOf, exitCodes, UsageError } from './errors.ts';
import { findHome } from './home.ts';
import { applyQuery, format } from './output/format.ts';
import { createProgress } from './output/progress.ts';
import { asTyped, nextAsTyped } from './output/typed.ts';
import { terminalWidth } from './output/width.ts';
import { parse } from './parse.ts';

const width = terminalWidth(process.env, [process.stderr.columns, process.stdout.columns]);
const stop = new AbortController();
// The first Ctrl-C stops waiting in good order; a second one ends at once.
process.once('SIGINT', () => stop.abort(new Error('interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('interrupted')));
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough
    throw error;
  });
}
const interactive = process.stderr.isTTY === true;
const progress = createProgress({
  write: (text) => process.stderr.write(text),
  interactive,
  width,
  clock: systemClock,
});

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parse(commands, argv, width);
    if ('help' in parsed) {
      process.stdout.write(parsed.help);
      return 0;
    }
    const globals = {
      as: parsed.globals['as'] as string | undefined,
      subscription: parsed.globals['subscription'] as string | undefined,
      output: parsed.globals['output'] as string | undefined,
      query: parsed.globals['query'] as string | undefined,
    };
    const home = findHome(process.env);
    const context: CliContext = {
      env: process.env,
      home,
      clock: systemClock,
      signal: stop.signal,
      width,
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
      interactive,
      progress,
      globals,
      async arm(as) {
        const session = await findSession(home, process.env, {
          as: as ?? globals.as,
          subscription: globals.subscription,
        });
        return createArmClient(session, { clock: systemClock, signal: stop.signal });
      },
    };
    const options = await readSecrets(parsed.command, parsed.options);
    const outcome = await parsed.command.run(context, options, parsed.rest);
    progress.clear();
    if (outcome) await print(outcome, globals);
    return outcome?.exitCode ?? 0;
  } catch (error) {
    progress.clear();
    if (stop.signal.aborted) {
      process.stderr.write('Interrupted. What was begun goes on; the same command takes it up again.\n');
      return exitCodes.interrupted;
    }
    process.stderr.write(`${describeError(error, width, (text) => asTyped(text, process.env))}\n`);
    return exitCodeOf(error);
  }
}

async function print(outcome: Outcome, globals: CliContext['globals']): Promise<void> {
  const shown = globals.output === 'table' && outcome.rows ? outcome.rows : outcome.value;
  const value = globals.query === undefined ? shown : applyQuery(outcome.value, globals.query);
  const columns = globals.query === undefined ? outcome.columns : undefined;
  const human =
    globals.output === undefined && globals.query === undefined && outcome.human !== undefined
      ? nextAsTyped(outcome.human, process.env)
      : undefined;
  const form = globals.output === 'jsonc' && !process.stdout.isTTY ? 'json' : (globals.output ?? 'json');
  const text = human ?? (await format(value, form, columns));
  if (text !== '') process.stdout.write(`${text}\n`);
}

/** A secret written as `@FILE` or `-` is read from there, so that it need not stand in an argument list. */
async function readSecrets(
  command: Command,
  options: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const read: Record<string, unknown> = { ...options };
  for (const [key, spec] of Object.entries(command.options)) {
    const value = options[key];
    if (spec.kind !== 'secret' || typeof value !== 'string') continue;
    if (value === '-') read[key] = trimEnd(await readStdin());
    else if (value.startsWith('@')) read[key] = trimEnd(await readSecretFile(value.slice(1)));
  }
  return read;
}

async function readSecretFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `The secret's file ${path} can't be read: ${(error as Error).message}`,
      'Give @ and the path of a file you may read, or - for standard input.',
    );
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The newline an editor leaves at a file's end is no part of a secret. */
function trimEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
