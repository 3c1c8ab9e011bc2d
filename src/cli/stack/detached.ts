import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { UserError } from '../../lib/errors.ts';

/** Starts a program in a session of its own, so that it outlives this command and the terminal it was typed on. */
export async function startDetached(
  launch: { readonly command: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv },
  log: string,
): Promise<void> {
  const file = await open(log, 'a', 0o600);
  try {
    const child = spawn(launch.command, launch.args, {
      cwd: '/',
      detached: true,
      env: launch.env,
      stdio: ['ignore', file.fd, file.fd],
    });
    child.unref();
    await once(child, 'spawn');
  } catch (error) {
    throw new UserError(
      'NotStarted',
      `${launch.command} can't be started: ${(error as Error).message}`,
      'sallyport up sets up what is missing.',
      error,
    );
  } finally {
    await file.close();
  }
}
