import { extname, join } from 'node:path';
import { exec } from '../lib/exec.ts';

/**
 * Runs one of the agent's short-lived programs: what it needs goes in by standard input, its one answer comes out as
 * JSON. The agent itself stays small, and a library's memory goes when its work is done.
 */
export async function runChild<T>(
  program: readonly string[],
  input: unknown,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<T> {
  const path = `${join(import.meta.dirname, ...program)}${extname(import.meta.filename)}`;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { ...(PATH && { PATH }), ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) };
  const said = await exec(process.execPath, ['--max-old-space-size=128', path], {
    input: JSON.stringify(input),
    env,
    timeoutMs: options.timeoutMs,
    ...(options.signal && { signal: options.signal }),
  });
  return JSON.parse(said.stdout) as T;
}

/** The child's side: everything on standard input. */
export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
