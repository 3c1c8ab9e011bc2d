import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { confirm } from '../arm/confirm.ts';
import { yes } from '../arm/options.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { Home } from '../home.ts';
import { createHomeFolders } from '../setup/set-up.ts';
import { controlProcess } from './control.ts';
import { endFabric } from './fabric.ts';
import { alone } from './lock.ts';
import { end } from './process.ts';

export const down = defineCommand({
  path: 'down',
  summary: 'End everything that runs. Data stays, unless it is purged.',
  examples: ['down', 'down --purge --yes'],
  options: {
    purge: {
      kind: 'switch',
      flags: ['--purge'],
      help: 'Delete the whole state folder: clusters, keys, credentials, tools.',
    },
    yes,
  },
  async run(cx, options) {
    if (options.purge) await confirm(cx, `Delete ${cx.home.root} with all data?`, options.yes);
    await createHomeFolders(cx.home);
    const ended = await alone(cx.home, 'down', async () => {
      const did = await stopAll(cx);
      if (options.purge) await purge(cx);
      return did;
    });
    if (options.purge) {
      const left = await removeEmpty(cx.home);
      return { value: { ended, purged: true, left }, human: purgedText(cx.home.root, left) };
    }
    const human = ended
      ? 'Sallyport is down; its data stays.\nNext: sallyport up'
      : 'Nothing to do: nothing runs.';
    return { value: { ended, purged: false }, human };
  },
});

/**
 * Removes the folders that the lock was in, now that it is gone. Returns the paths that stay: what somebody else keeps in
 * the state folder, or the folder itself where it can't be removed; none: all is gone.
 */
export async function removeEmpty(home: Pick<Home, 'root' | 'run'>): Promise<readonly string[]> {
  const left: string[] = [];
  for (const folder of [home.run, home.root]) {
    try {
      await rmdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      const inside = await readdir(folder);
      left.push(...(inside.length > 0 ? inside.map((name) => join(folder, name)) : [folder]));
    }
  }
  // The folder is named by what is in it, where something is.
  const named = left.some((path) => path.startsWith(`${home.run}/`));
  return [...new Set(left)].filter((path) => path !== home.run || !named);
}

export function purgedText(root: string, left: readonly string[]): string {
  if (left.length === 0) return `${root} is gone.`;
  if (left.length === 1 && left[0] === root)
    return `Everything in ${root} is gone. The folder itself can't be removed: it is a mount point, or its parent is not yours.`;
  const list = left.map((path) => `  ${path}`).join('\n');
  return `Sallyport's own files in ${root} are deleted. What it did not make is left:\n${list}`;
}

/** The fabric first, so that control doesn't watch machines die one by one. */
async function stopAll(cx: CliContext): Promise<boolean> {
  cx.progress.show('ending the fabric and all that runs in it');
  const fabric = await endFabric(cx);
  const control = await controlProcess(cx.home);
  if (control) {
    cx.progress.show('ending control');
    await end(control, { graceMs: 10_000, clock: cx.clock });
  }
  cx.progress.clear();
  return fabric || control !== undefined;
}

/** The names are those of docs/design/0001: nothing else that somebody keeps in the folder is deleted. */
async function purge(cx: CliContext): Promise<void> {
  const { home } = cx;
  for (const folder of [home.fabric, home.control, home.person, home.log, home.cache, home.tools]) {
    await rm(folder, { recursive: true, force: true }).catch((error: Error) => {
      throw new UserError(
        'NotPurged',
        `${folder} can't be deleted: ${error.message}`,
        `Delete it as root: rm -r ${folder}`,
        error,
      );
    });
  }
  for (const name of ['control.pid', 'control.lock', 'fabric.pid', 'fabric.lock', 'fabric-init.pid'])
    await rm(join(home.run, name), { force: true });
}
