import { spawn } from 'node:child_process';

/** A command that ended otherwise than with 0. Never holds the standard input, which is where secrets go in. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly exitCode: number | null;
  readonly stderr: string;
  constructor(command: string, exitCode: number | null, stderr: string) {
    super(`${command} ended with ${exitCode ?? 'a signal'}: ${stderr.trim().slice(-2000) || 'no message'}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export interface ExecOptions {
  /** Written to standard input. Secrets travel here or by file, never as an argument: arguments are public. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Milliseconds after which the process is killed; 30 s when left out. */
  readonly timeoutMs?: number;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end without a shell. Throws {@link ExecError} unless it exits with 0. */
export async function exec(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const result = await execStatus(command, args, options);
  if (result.exitCode !== 0)
    throw new ExecError(`${command} ${args[0] ?? ''}`.trim(), result.exitCode, result.stderr);
  return result;
}

/** Milliseconds that what a program has started may keep its output open once it has ended itself. */
const lingerMs = 1000;
/** Bytes of output that are kept. */
const mostBytes = 64 * 1024 * 1024;

/**
 * As {@link exec}, for programs whose exit code is an answer. Rejects only when the program can't be started, or says more
 * than 64 MB. Ends with the program, whoever else still has its output open: in a machine that may be anybody.
 */
export function execStatus(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult & { readonly exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      timeout: options.timeoutMs ?? 30_000,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const letGo = (): void => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const keepIn = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostBytes) {
        chunks.push(chunk);
        return;
      }
      child.kill('SIGKILL');
      letGo();
      reject(new Error(`${command} said more than ${mostBytes / 1024 / 1024} MB, and was ended.`));
    };
    child.stdout.on('data', keepIn(out));
    child.stderr.on('data', keepIn(err));
    child.stdin.on('error', () => undefined); // a program may end without reading its input
    child.on('error', reject);
    let linger: NodeJS.Timeout | undefined;
    // After one more look at the pipes: a busy process may have read nothing of them in all that time.
    child.on('exit', () => (linger = setTimeout(() => setImmediate(letGo), lingerMs)));
    child.on('close', (exitCode) => {
      clearTimeout(linger);
      resolve({ exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(options.input ?? '');
  });
}
