import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { exec, execStatus, type ExecResult } from '../../src/lib/exec.ts';

/** A machine as the fabric makes them: its own user, mount, PID, IPC, UTS and network namespace. */
export interface Machine {
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  readonly disk: string;
  enter(argv: readonly string[], input?: string): Promise<ExecResult & { readonly exitCode: number | null }>;
  end(): Promise<void>;
}

export interface MachineOptions {
  readonly name: string;
  readonly folder: string;
  /** Host folder → place in the machine, read-only. */
  readonly binds: Readonly<Record<string, string>>;
  readonly javaHome: string;
  readonly command: readonly string[];
}

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const disk = join(options.folder, options.name);
  mkdirSync(disk, { recursive: true, mode: 0o700 });
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => {
    if (!existsSync(`/${name}`)) return [];
    return lstatSync(`/${name}`).isSymbolicLink()
      ? ['--symlink', readlinkSync(`/${name}`), `/${name}`]
      : ['--ro-bind', `/${name}`, `/${name}`];
  });
  const output = openSync(join(options.folder, `${options.name}.log`), 'a', 0o600);
  const child = spawn(
    'bwrap',
    [
      ...[
        '--unshare-user',
        '--uid',
        '0',
        '--gid',
        '0',
        '--unshare-net',
        '--unshare-pid',
        '--unshare-uts',
        '--unshare-ipc',
      ],
      ...['--hostname', options.name, '--cap-add', 'ALL', '--ro-bind', '/usr', '/usr', ...links],
      ...(existsSync('/etc/java-17-openjdk')
        ? ['--ro-bind', '/etc/java-17-openjdk', '/etc/java-17-openjdk']
        : []),
      ...[
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        '--dev-bind',
        '/dev/net/tun',
        '/dev/net/tun',
        '--tmpfs',
        '/tmp',
        '--tmpfs',
        '/run',
      ],
      ...['--symlink', '/run', '/var/run', '--bind', disk, '/var/lib/sallyport'],
      ...Object.entries(options.binds).flatMap(([from, to]) => ['--ro-bind', from, to]),
      ...[
        '--clearenv',
        '--setenv',
        'PATH',
        '/usr/sbin:/usr/bin:/sbin:/bin',
        '--setenv',
        'JAVA_HOME',
        options.javaHome,
      ],
      ...['--info-fd', '3', '--', ...options.command],
    ],
    { detached: true, stdio: ['ignore', output, output, 'pipe'] },
  );
  const pid = await pidOf(child);
  return {
    pid,
    disk,
    enter: (argv, input) =>
      execStatus(
        'nsenter',
        ['-t', String(pid), '-U', '-n', '-m', '-p', '-u', '-i', '--preserve-credentials', ...argv],
        {
          input: input ?? '',
          timeoutMs: 60_000,
        },
      ),
    async end() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    (child.stdio[3] as NodeJS.ReadableStream).on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
      if (pid) resolve(Number(pid));
    });
    child.once('exit', (code) => reject(new Error(`The machine ended with ${code} at its start.`)));
  });
}

/** A cable between two machines: each end is called eth0, and is down. */
export async function cable(one: Machine, other: Machine): Promise<void> {
  const ends = [
    'name',
    'eth0',
    'netns',
    String(one.pid),
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    String(other.pid),
  ];
  await exec('ip', ['link', 'add', ...ends]);
}
