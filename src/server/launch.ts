import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface ControlLaunch {
  /** The program's folder: dist/, node_modules/, az/ and package.json. */
  readonly program: string;
  /** The Node.js 24 to run it with. */
  readonly node: string;
  /** Control's folder, its whole view of the disk. */
  readonly folder: string;
  readonly run: string;
  readonly log: string;
  /** Whether root starts it: it then drops to {@link controlUser}. */
  readonly root: boolean;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The user and group that control has where root starts it: nobody else's on a Debian or Ubuntu, and with no account. */
export const controlUser = 64087;

/**
 * V8 lets garbage lie until its heap is several times of what lives, on a machine that has the memory; control shares its
 * machine with databases. With 1,000 clusters about 70 MB live.
 */
export const controlFlags = ['--heap-growing-percent=30', '--max-semi-space-size=8'] as const;

/** By itself malloc keeps eight arenas a core, and gives little of them back: 80 MB after many writes. */
export const controlEnvironment = { MALLOC_ARENA_MAX: '2' } as const;

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * How control is started: in a loop that restarts it, in namespaces where nothing is but its own folder, and without any
 * capability. It shares the host's network, where it listens on loopback.
 */
export function controlCommand(options: ControlLaunch): Launch {
  const inside = ['/opt/tools/node', ...controlFlags, '/opt/sallyport/dist/server/main.js', 'control'];
  const dropped = options.root
    ? [
        'setpriv',
        `--reuid=${controlUser}`,
        `--regid=${controlUser}`,
        '--clear-groups',
        '--inh-caps=-all',
        '--bounding-set=-all',
        ...inside,
      ]
    : inside;
  return {
    command: 'sh',
    args: [
      join(options.program, 'dist/server/keep.sh'),
      'control',
      options.run,
      options.log,
      'bwrap',
      ...confinement(options),
      '--',
      ...dropped,
    ],
    env: { PATH: path, SALLYPORT_CONTROL: '/var/lib/sallyport', LANG: 'C.UTF-8', ...controlEnvironment },
  };
}

function confinement({ program, node, folder, root }: ControlLaunch): readonly string[] {
  const identity = root
    ? [
        '--cap-drop',
        'ALL',
        ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((capability) => ['--cap-add', capability]),
      ]
    : ['--unshare-user', '--cap-drop', 'ALL'];
  return [
    ...['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts', ...identity],
    ...['--ro-bind', '/usr', '/usr', ...['/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap(systemFolder)],
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp'],
    // The folders on the way must be passable for whom control then is, whatever the umask.
    ...['/opt', '/opt/tools', '/opt/sallyport', '/var', '/var/lib'].flatMap((path) => [
      '--perms',
      '0755',
      '--dir',
      path,
    ]),
    ...['--ro-bind', node, '/opt/tools/node'],
    ...['dist', 'node_modules', 'az', 'package.json'].flatMap((part) => [
      '--ro-bind',
      join(program, part),
      `/opt/sallyport/${part}`,
    ]),
    ...['--bind', folder, '/var/lib/sallyport', '--chdir', '/var/lib/sallyport'],
  ];
}

/** Links into /usr where the distribution has merged them, else the folder itself. */
function systemFolder(folder: string): readonly string[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return [];
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(folder), folder] : ['--ro-bind', folder, folder];
}
