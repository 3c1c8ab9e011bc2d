import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { confineTool, javaExtras, rootLinks } from '../cassandra/confinement.ts';
import { jmxRole, jmxPasswordFile, toolsLogFile } from '../cassandra/files.ts';
import { nodetoolJava } from '../cassandra/java.ts';
import type { NodePaths } from '../paths.ts';
import type { Nodetool } from './runner.ts';

export const nodetoolMs = 60_000;
/** bwrap says on this one which process it made. */
const infoFd = 3;
/** Of what it writes; the rest is read and dropped, so that it comes to its end. */
export const outputLimit = 1 << 20;

/**
 * The real nodetool, in walls of its own: Cassandra's user and no capability, a PID and mount namespace, and of the node's
 * disk nothing but its configuration. It asks Cassandra over JMX on loopback, with the password in a file for that user.
 */
export function confinedNodetool(options: { readonly paths: NodePaths; readonly ownUid: boolean }): Nodetool {
  const { paths } = options;
  return async (args, signal) => {
    const { conf, jars } = paths.cassandra;
    if (!existsSync(join(conf, jmxPasswordFile)))
      throw new UserError('CassandraNotRunning', 'Cassandra was never started on this node.', 'start it');
    const walls = confineTool({
      paths: paths.cassandra,
      javaHome: paths.javaHome,
      hostname: hostname(),
      ownUid: options.ownUid,
      links: rootLinks(),
      javaExtras: javaExtras(),
      infoFd,
    });
    const java = nodetoolJava({ jarsFolder: jars, logConfiguration: join(conf, toolsLogFile) });
    const login = ['-u', jmxRole, '-pwf', join(conf, jmxPasswordFile)];
    const command = [...walls, `${paths.javaHome}/bin/java`, ...java, ...login, ...args];
    return runBounded('bwrap', command, { timeoutMs: nodetoolMs, limit: outputLimit, signal });
  };
}

interface Bounds {
  readonly timeoutMs: number;
  /** Bytes of both outputs together. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Runs bwrap to its program's end, keeping as much of the output as `limit` allows. Throws when it takes too long: then the
 * program is ended itself, which with its namespace ends whatever it made.
 */
export function runBounded(
  command: string,
  args: readonly string[],
  { timeoutMs, limit, signal }: Bounds,
): Promise<{ output: string; errorOutput: string; exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    let said = '';
    (child.stdio[infoFd] as NodeJS.ReadableStream).on('data', (chunk: Buffer) => (said += chunk.toString()));
    const end = (): void => {
      const inside = /"child-pid":\s*(\d+)/.exec(said)?.[1];
      if (inside) kill(Number(inside));
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', end, { once: true });
    const kept: { readonly output: Buffer[]; readonly errorOutput: Buffer[] } = {
      output: [],
      errorOutput: [],
    };
    let left = limit;
    let dropped = 0;
    const keep = (to: Buffer[]) => (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      dropped += chunk.length - part.length;
      if (part.length > 0) to.push(part);
    };
    child.stdout!.on('data', keep(kept.output));
    child.stderr!.on('data', keep(kept.errorOutput));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      reject(error);
    });
    child.on('close', (exitCode, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (late)
        return reject(
          new UserError(
            'CommandTimedOut',
            `nodetool did not end within ${timeoutMs / 1000} s, and was ended.`,
            'ask for less',
          ),
        );
      if (killedBy) return reject(new Error(`nodetool was ended by ${killedBy}.`));
      const cut = dropped > 0 ? `\n[${dropped} bytes more were cut off: ${limit} are kept.]\n` : '';
      resolve({
        output: Buffer.concat(kept.output).toString(),
        errorOutput: Buffer.concat(kept.errorOutput).toString() + cut,
        exitCode,
      });
    });
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended in between
  }
}
