import { link, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { readJson } from '../../lib/files.ts';
import type { Home } from '../home.ts';
import { isAlive, startOf } from './process.ts';

interface Holder {
  readonly pid: number;
  readonly start: string;
  readonly command: string;
}

/** Runs `work` as the only command that starts, ends or sets up; another one is told who is at it. */
export async function alone<T>(home: Home, command: string, work: () => Promise<T>): Promise<T> {
  const path = join(home.run, 'cli.lock');
  const mine: Holder = { pid: process.pid, start: startOf(process.pid)!, command };
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    while (!(await take(draft, path))) await breakIfDead(path, draft);
  } finally {
    await rm(draft, { force: true });
  }
  try {
    return await work();
  } finally {
    await unlink(path);
  }
}

/** A link is made whole or not at all, and only where none is. */
const take = (draft: string, path: string): Promise<boolean> =>
  link(draft, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

/** Moves a dead holder's lock aside, and only that one: what was moved is read again before it is thrown away. */
async function breakIfDead(path: string, draft: string): Promise<void> {
  const refuse = (holder: Holder): never => {
    throw new UserError(
      'AtWork',
      `Another \`sallyport ${holder.command}\` is at work here (process ${holder.pid}).`,
      'Wait until it ends, then run the same command again.',
    );
  };
  const holder = await readJson<Holder>(path);
  if (holder && isAlive(holder)) refuse(holder);
  const aside = `${draft}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readJson<Holder>(aside);
  const wrong = moved !== undefined && isAlive(moved);
  if (wrong) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  if (wrong) refuse(moved);
}
