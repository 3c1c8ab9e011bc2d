import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execStatus } from '../../lib/exec.ts';

/** What set-up asks the machine; tests answer in its place. */
export interface Probe {
  /** The path of a program, on PATH or where the system keeps those of its administrator. */
  which(name: string): Promise<string | undefined>;
  /** What a program says on both streams; undefined where it can't be run or fails. */
  say(command: string, args: readonly string[]): Promise<string | undefined>;
}

export function createProbe(env: NodeJS.ProcessEnv): Probe {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(
    (each) => each !== '',
  );
  return {
    async which(name) {
      for (const folder of folders) {
        const path = join(folder, name);
        const runs = await access(path, constants.X_OK).then(
          () => true,
          () => false,
        );
        if (runs) return path;
      }
      return undefined;
    },
    async say(command, args) {
      const result = await execStatus(command, args, { timeoutMs: 15_000 }).catch(() => undefined);
      return result?.exitCode === 0 ? result.stdout + result.stderr : undefined;
    },
  };
}
