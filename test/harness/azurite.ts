/** A real Azurite on loopback as an account that the gate can name, on a disk as small as wanted; it goes on where it was ended. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { until } from '../../src/lib/clock.ts';
import { isAlive, markOf, type ProcessMark } from '../../src/lib/process.ts';
import { signForContainer, signToCreateContainers } from '../../src/lib/shared-access.ts';
import { createAuthority, issue } from '../../src/lib/x509.ts';
import { freePort, type Account } from './gate.ts';
import { inOrder } from './log-store.ts';
import { demandAzurite, realHome } from './tools.ts';

export interface Azurite extends Pick<Account, 'said'> {
  /** By which an agent may write into the container, for an hour or until `until`. */
  right(until?: number): string;
  makeContainer(): Promise<void>;
  /** What is in the blobs of a log, in the order in which they were written. */
  text(log: string): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** In good order: all that was answered is on its disk. */
  end(): Promise<void>;
  start(): Promise<void>;
  /** Takes what room the disk has left; `undefined` gives it back. */
  fill(megabytes: number | undefined): void;
}

/** A disk of its own lives as long as this shell does; each line that it reads is one life of the program. */
const keeper = `mount -t tmpfs -o size=$1,mode=700 tmpfs "$2" && shift 2 && while read _; do "$@" & echo $!; wait $!; done`;

export async function startAzurite(
  t: TestContext,
  name: string,
  container: string,
  diskMegabytes: number,
): Promise<Azurite> {
  demandAzurite();
  const folder = mkdtempSync(join(tmpdir(), 'azurite-'));
  const disk = mkdtempSync(join(tmpdir(), 'azurite-disk-'));
  const account = name.split('.')[0]!;
  const own = { account, key: randomBytes(64).toString('base64') };
  const days = { days: 1, now: Date.now() };
  const authority = await createAuthority(`test ${name}`, days);
  const leaf = await issue(authority, { commonName: name, dns: [name], use: ['server'], ...days });
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  writeFileSync(certificate, leaf.certificate);
  writeFileSync(key, leaf.privateKey, { mode: 0o600 });
  const port = await freePort();
  const program = join(realHome(), 'tools/azurite/node_modules/azurite/dist/src/blob/main.js');
  const shell = spawn(
    'unshare',
    [
      ...['--user', '--map-root-user', '--mount', '--', 'sh', '-c', keeper, 'sh', `${diskMegabytes}m`, disk],
      ...[process.execPath, program, '--blobHost', '127.0.0.1', '--blobPort', String(port)],
      ...['--location', disk, '--cert', certificate, '--key', key],
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    ],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], AZURITE_ACCOUNTS: `${account}:${own.key}` },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const pids = createInterface({ input: shell.stdout });
  let running: ProcessMark | undefined;

  /** The status of its answer, and what is in it. */
  const ask = (method: string, path: string): Promise<readonly [status: number, body: string]> =>
    new Promise((resolve, reject) => {
      const asking = request(
        {
          ...{ host: '127.0.0.1', port, method, path, servername: name, ca: authority.certificate },
          ...{ agent: false, headers: { host: name }, timeout: 5_000 },
        },
        (response) => {
          const heard: Buffer[] = [];
          response.on('data', (chunk: Buffer) => heard.push(chunk));
          response.on('end', () => resolve([response.statusCode ?? 0, Buffer.concat(heard).toString()]));
        },
      );
      asking.on('timeout', () => asking.destroy(new Error('Azurite is silent.')));
      asking.on('error', reject);
      asking.end();
    });
  const soon = (): number => Date.now() + 3_600_000;

  const azurite: Azurite = {
    right: (until = soon()) => signForContainer(own, container, until),
    async makeContainer() {
      const [status] = await ask(
        'PUT',
        `/${container}?restype=container&${signToCreateContainers(own, soon())}`,
      );
      if (status !== 201) throw new Error(`The container could not be made: ${status}`);
    },
    async text(log) {
      const right = signForContainer(own, container, soon(), 'rl');
      const [, list] = await ask('GET', `/${container}?restype=container&comp=list&${right}`);
      const names = [...list.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, blob]) => blob!);
      const texts: string[] = [];
      for (const blob of inOrder(names, log))
        texts.push((await ask('GET', `/${container}/${blob}?${right}`))[1]);
      return texts.join('');
    },
    signal(signal) {
      if (running && isAlive(running)) process.kill(running.pid, signal);
    },
    async end() {
      azurite.signal('SIGTERM');
      await until('Azurite to end', () => !running || !isAlive(running) || undefined, {
        timeoutMs: 10_000,
        everyMs: 20,
      });
    },
    async start() {
      const said = once(pids, 'line') as Promise<[string]>;
      shell.stdin.write('\n');
      running = markOf(Number((await said)[0]));
      await until(
        'Azurite to answer',
        () =>
          ask('GET', '/').then(
            () => true,
            () => undefined,
          ),
        {
          timeoutMs: 30_000,
          everyMs: 50,
        },
      );
    },
    fill(megabytes) {
      // Within the shell's own mount.
      const path = join(`/proc/${shell.pid}/root`, disk, 'fill');
      if (megabytes === undefined) return rmSync(path, { force: true });
      try {
        for (let n = 0; n < megabytes * 16; n++) writeFileSync(path, Buffer.alloc(65_536), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    said: (rules = [{ methods: [], path: null }]) => ({
      ...{ name, enabled: true, rules: [...rules] },
      upstream: { address: '127.0.0.1', port, authority: authority.certificate },
    }),
  };
  t.after(async () => {
    azurite.signal('SIGCONT');
    azurite.signal('SIGKILL');
    shell.stdin.end();
    if (shell.exitCode === null) await once(shell, 'exit');
    for (const one of [folder, disk]) rmSync(one, { recursive: true, force: true });
  });
  await azurite.start();
  return azurite;
}
