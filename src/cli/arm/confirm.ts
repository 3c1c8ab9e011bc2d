import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline/promises';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { UserError } from '../../lib/errors.ts';

/** Asks before something is lost. Where nobody can be asked, --yes must have been given. */
export async function confirm(cx: CliContext, question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !cx.interactive)
    throw new UsageError(`${question} There is no terminal to ask on.`, 'Add --yes.');
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await answered(ask, `${question} (y/n): `, cx.signal);
  if (answer === '') cx.stderr('\n');
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new UserError('Declined', 'Nothing was done.', 'Answer y, or add --yes.');
}

/** Ctrl-C and Ctrl-D at the question are no answer, and so a no. */
export async function answered(ask: Interface, question: string, signal: AbortSignal): Promise<string> {
  const ended = once(ask, 'close').then(() => '');
  try {
    return await Promise.race([ask.question(question, { signal }), ended]);
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    return '';
  } finally {
    ask.close();
  }
}
