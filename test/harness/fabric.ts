/**
 * A fabric of a test's own: the compiled program, a home, and a superior on the unix socket in place of control. Its
 * machines are real; only who tells it what shall be is the test.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  cpSync,
  writeFileSync,
  chownSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FabricIntent, FabricReport } from '../../src/exchange/intents/fabric.ts';
import { revise } from '../../src/exchange/revision.ts';
import { createExchangeServer, type ExchangeServer } from '../../src/exchange/server.ts';
import { enterFromHost, fabricCommand, fabricInit } from '../../src/fabric/launch.ts';
import { until } from '../../src/lib/clock.ts';
import { exec, execStatus } from '../../src/lib/exec.ts';
import { readJson } from '../../src/lib/files.ts';
import { createLog } from '../../src/lib/log.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const log = createLog({}, { level: 'error' });

/** Compiles the program into a folder of its own, with the Node.js that runs this: any user may read them there. */
export async function buildProgram(): Promise<string> {
  const program = mkdtempSync(join(tmpdir(), 'sallyport-program-'));
  chmodSync(program, 0o755);
  // Types are checked elsewhere; here a file that is being worked on must not stop the rest.
  await execStatus(
    process.execPath,
    [
      join(root, 'node_modules/.bin/tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(program, 'dist'),
    ],
    { timeoutMs: 120_000 },
  );
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.(sh|pl)$/.test(file)) continue;
    mkdirSync(dirname(join(program, 'dist', file)), { recursive: true });
    copyFileSync(join(root, 'src', file), join(program, 'dist', file));
  }
  cpSync(join(root, 'node_modules'), join(program, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  copyFileSync(process.execPath, join(program, 'node'));
  copyFileSync(join(root, 'package.json'), join(program, 'package.json'));
  return program;
}

export interface TestFabricOptions {
  readonly program: string;
  /** Runs as this ordinary user; as whoever runs the test when left out. */
  readonly uid?: number;
  readonly javaHome?: string;
  readonly wireguard?: string | null;
  readonly jars?: string;
}

export class TestFabric {
  readonly home: string;
  readonly #options: TestFabricOptions;
  readonly #server: Server;
  readonly #exchange: ExchangeServer;
  #intent: FabricIntent = { networks: [], machines: [], links: [], work: [] };
  #process: ChildProcess | undefined;
  report: FabricReport | undefined;
  applied: string | null = null;
  readonly streams = new Map<string, string>();

  private constructor(home: string, options: TestFabricOptions) {
    this.home = home;
    this.#options = options;
    this.#exchange = createExchangeServer<FabricIntent, FabricReport>({
      superior: {
        intentFor: () => revise(this.#intent),
        onReport: (_peer, report, applied) => {
          this.report = report;
          this.applied = applied;
        },
        onStream: async (_peer, name, body) => {
          let text = '';
          for await (const chunk of body) text += String(chunk);
          this.streams.set(name, text);
        },
      },
      peerOf: () => 'fabric',
      checkReport: (value) => value as FabricReport,
      log,
    });
    this.#server = createServer(this.#exchange.listener);
  }

  static async start(options: TestFabricOptions): Promise<TestFabric> {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-home-'));
    const fabric = new TestFabric(home, options);
    mkdirSync(join(home, 'control/doors/fabric'), { recursive: true });
    mkdirSync(join(home, 'control/doors/operators'), { recursive: true });
    mkdirSync(join(home, 'tools/jars'), { recursive: true });
    const tools = {
      node: join(options.program, 'node'),
      javaHome: options.javaHome ?? '/usr/lib/jvm',
      wireguard: options.wireguard ?? null,
      cassandra: options.jars ?? join(home, 'tools/jars'),
    };
    writeFileSync(join(home, 'tools/tools.json'), JSON.stringify(tools));
    await fabric.listen();
    if (options.uid !== undefined) own(home, options.uid);
    await fabric.launch();
    return fabric;
  }

  get socket(): string {
    return join(this.home, 'control/doors/fabric/sock');
  }

  async listen(): Promise<void> {
    rmSync(this.socket, { force: true });
    this.#server.listen(this.socket);
    await once(this.#server, 'listening');
    if (this.#options.uid !== undefined) own(this.home, this.#options.uid);
  }

  /** The superior goes away, as a control that died. */
  async deafen(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async launch(): Promise<void> {
    const { command, args, env } = fabricCommand({
      home: this.home,
      program: this.#options.program,
      node: join(this.#options.program, 'node'),
    });
    const { uid } = this.#options;
    this.#process = spawn(command, [...args], {
      env,
      detached: true,
      stdio: 'ignore',
      ...(uid !== undefined && { uid, gid: uid }),
    });
    await until('the fabric to start', () => fabricInit(this.#process!.pid!), { timeoutMs: 10_000 });
  }

  /** Tells what shall be, and waits until the fabric says that it is. */
  async tell(intent: FabricIntent, timeoutMs = 20_000): Promise<FabricReport> {
    this.#intent = intent;
    this.#exchange.wake();
    const { revision } = revise(intent);
    return until(
      'the fabric to apply the intent',
      () => (this.applied === revision ? this.report : undefined),
      { timeoutMs, everyMs: 10 },
    );
  }

  get init(): number {
    const pid = fabricInit(this.#process!.pid!);
    if (pid === undefined) throw new Error('The fabric does not run.');
    return pid;
  }

  async pidOf(machine: string): Promise<number> {
    const state = await readJson<{ machines: { id: string; pid: number | null }[] }>(
      join(this.home, 'fabric/state.json'),
    );
    const pid = state?.machines.find(({ id }) => id === machine)?.pid;
    if (typeof pid !== 'number') throw new Error(`Machine '${machine}' does not run.`);
    return pid;
  }

  /** Runs a program of the host's in a machine's network, as who started the fabric. */
  async inNetworkOf(machine: string, argv: readonly string[], timeoutMs = 10_000) {
    const { command, args } = enterFromHost(this.init, await this.pidOf(machine), argv);
    return this.#asStarter(command, args, timeoutMs);
  }

  /** Runs a program inside a machine as its root, through the fabric. */
  async inMachine(machine: string, argv: readonly string[], input = '', timeoutMs = 10_000) {
    const user =
      this.#options.uid === undefined
        ? ['setpriv', '--reuid', '64088', '--regid', '64088', '--clear-groups']
        : [];
    const inside = [
      'nsenter',
      '-t',
      String(await this.pidOf(machine)),
      '-U',
      '-n',
      '-m',
      '-p',
      '-u',
      '-i',
      '--preserve-credentials',
      '--',
      ...argv,
    ];
    return this.#asStarter('nsenter', [...this.#intoFabric(), ...user, ...inside], timeoutMs, input);
  }

  /** Runs a program inside the fabric itself, beside its process. */
  async inFabric(argv: readonly string[]) {
    return this.#asStarter('nsenter', [...this.#intoFabric(), ...argv], 10_000);
  }

  /** Starts a program in a network namespace of the fabric's; it ends with the fabric, or as its standard input does. */
  startIn(namespace: string, argv: readonly string[]): ChildProcess {
    const inside = ['nsenter', `--net=/run/netns/${namespace}`, ...argv];
    const [command, ...args] = [...this.#asUser(), 'nsenter', ...this.#intoFabric(), ...inside] as [
      string,
      ...string[],
    ];
    return spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      env: { PATH: process.env['PATH'] },
    });
  }

  #asUser(): readonly string[] {
    const { uid } = this.#options;
    return uid === undefined
      ? []
      : ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--'];
  }

  #intoFabric(): readonly string[] {
    return ['-t', String(this.init), '-U', '-n', '-m', '-p', '--preserve-credentials', '--'];
  }

  #asStarter(command: string, args: readonly string[], timeoutMs: number, input = '') {
    const [first, ...rest] = [...this.#asUser(), command, ...args] as readonly string[] as [
      string,
      ...string[],
    ];
    return execStatus(first, rest, { timeoutMs, input, cwd: '/', env: { PATH: process.env['PATH'] } });
  }

  /** The host's pid of the fabric's own process, which is not its init. */
  async processOfRole(): Promise<number> {
    const { stdout } = await exec('cat', [`/proc/${this.init}/task/${this.init}/children`]);
    for (const pid of stdout.trim().split(' ')) {
      // Children come and go: the machines' own programs are reaped here.
      const { stdout: line } = await execStatus('cat', [`/proc/${pid}/cmdline`]);
      if (line.split('\0').includes('fabric')) return Number(pid);
    }
    throw new Error('The fabric process does not run.');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child?.pid !== undefined && child.exitCode === null) {
      process.kill(child.pid, 'SIGTERM');
      await until(
        'the fabric to end',
        () => (child.exitCode !== null || child.signalCode !== null ? true : undefined),
        { timeoutMs: 25_000 },
      );
    }
    this.report = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function own(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder, name), uid, uid);
}
