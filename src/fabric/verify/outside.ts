import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until, type Clock } from '../../lib/clock.ts';
import { exec } from '../../lib/exec.ts';

/** Sockets and a file of the host's, put where a machine that shares the host's files or names would find them. */
export interface HostCanary {
  readonly sockets: readonly string[];
  readonly abstract: string;
  readonly file: string;
  /** What the file holds. It is worth nothing: it tells this file from any other. */
  readonly secret: string;
  /** Whether this kernel gives a process without a machine's filter a socket that leads past every network namespace. */
  readonly vsock: boolean;
}

export interface OpenHostCanary extends HostCanary {
  /** First lines of what connected, in order. */
  received(): readonly string[];
  /** Connects to each by itself and reads the file: the positive control. */
  selfTest(clock: Clock): Promise<{ readonly seen: boolean; readonly evidence: string }>;
  close(): Promise<void>;
}

/** AF_VSOCK. */
export const vsockFamily = 40;

export async function openHostCanary(): Promise<OpenHostCanary> {
  const servers: Server[] = [];
  const folders: string[] = [];
  const received: string[] = [];
  const token = randomBytes(6).toString('hex');
  const listen = async (path: string): Promise<void> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => received.push(chunk.toString().trim().slice(0, 200)));
      socket.setTimeout(2000, () => socket.destroy());
    }).listen(path);
    await once(server, 'listening');
    servers.push(server);
  };
  const sockets: string[] = [];
  for (const folder of [tmpdir(), '/run']) {
    try {
      const made = await mkdtemp(join(folder, 'sallyport-verify-'));
      folders.push(made);
      // Open to everybody: nothing but the walls of a machine may keep one of its users away from it.
      await chmod(made, 0o755);
      await listen(join(made, 'socket'));
      await chmod(join(made, 'socket'), 0o777);
      sockets.push(join(made, 'socket'));
    } catch {
      // Not every host lets us write there; the self-test fails if there is none at all.
    }
  }
  const abstract = `sallyport-verify-${token}`;
  await listen(`\0${abstract}`);
  const secret = `sallyport-verify ${randomBytes(16).toString('hex')}`;
  const file = join(folders[0] ?? tmpdir(), 'file');
  await writeFile(file, `${secret}\n`, { mode: 0o644 });

  // Opened, and nothing is said over it: what is at its other end is nobody's of ours.
  const opens = `print socket(my $s, ${vsockFamily}, 1, 0) ? 'yes' : 'no'`;
  const vsock = (await exec('perl', ['-e', opens])).stdout === 'yes';

  return {
    sockets,
    abstract,
    file,
    secret,
    vsock,
    received: () => received,
    async selfTest(clock) {
      const paths = [...sockets, `\0${abstract}`];
      for (const [n, path] of paths.entries())
        connect(path)
          .on('error', () => undefined)
          .end(`self ${n}\n`);
      const heard = await until(
        'the host sockets to hear us',
        () => (paths.every((_, n) => received.includes(`self ${n}`)) ? true : undefined),
        {
          timeoutMs: 2000,
          everyMs: 20,
          clock,
        },
      ).catch(() => false);
      const read = (await readFile(file, 'utf8')).includes(secret);
      return {
        seen: heard && read && sockets.length > 0,
        evidence: `${paths.length} sockets and a file, reached from the host itself`,
      };
    },
    async close() {
      for (const server of servers) server.close();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}
