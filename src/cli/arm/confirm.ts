import { createInterface } from 'node:readline/promises';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { UserError } from '../../lib/errors.ts';

/** Asks before something is lost. Where nobody can be asked, --yes must have been given. */
export async function confirm(cx: CliContext, question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !cx.interactive)
    throw new UsageError(`${question} There is no terminal to ask on.`, 'Add --yes.');
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await ask.question(`${question} (y/n): `, { signal: cx.signal });
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new UserError('Declined', 'Nothing was done.', 'Answer y, or add --yes.');
  } finally {
    ask.close();
  }
}
