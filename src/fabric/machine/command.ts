/**
 * How a machine is made: the command that starts it, as data. A machine must never see a file, socket or process of the
 * host's or of another machine, and its root must be nobody outside of it.
 */
import type { FabricMachine } from '../../exchange/intents/fabric.ts';

/** Where its parts lie, as paths within the fabric's mount namespace. */
export interface MachineGround {
  /** The compiled program. */
  readonly dist: string;
  /** Holds node_modules/ and package.json. */
  readonly program: string;
  readonly node: string;
  readonly wireguard: string | null;
  readonly jars: string;
  /** Folder with Azurite; null where it was not installed. */
  readonly azurite: string | null;
  readonly javaHome: string;
  /** The JVM's own place, where its path is the same inside. */
  readonly javaPath: string;
  /** Folders of /etc, bound at their own path. */
  readonly javaConfiguration: readonly string[];
  /** Folder with the machine's passwd, group, hosts, nsswitch.conf. */
  readonly etc: string;
  readonly disk: string;
  /** For a control door: the folder with control's sockets. */
  readonly doors: string | null;
  /** The system's programs. */
  readonly usr: string;
  /** `/bin` and its like: the target of a symlink, or null for a folder. */
  readonly rootLinks: Readonly<Record<string, string | null>>;
  readonly localtime: boolean;
}

export interface MachineUser {
  readonly uid: number;
}

/** Descriptor on which bubblewrap says the pid of the machine's init. */
export const infoFd = 3;
/** Descriptor from which bubblewrap reads the filter of system calls. */
export const filterFd = 4;

export function machineCommand(
  machine: Pick<FabricMachine, 'kind' | 'hostname'>,
  ground: MachineGround,
  user: MachineUser | null,
): readonly [string, ...string[]] {
  const bind = (from: string, to = from): string[] => ['--ro-bind', from, to];
  const roles = machine.kind !== 'application';
  return [
    ...asUser(user),
    'bwrap',
    ...[
      '--unshare-user',
      '--uid',
      '0',
      '--gid',
      '0',
      '--unshare-net',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-cgroup-try',
    ],
    ...['--hostname', machine.hostname, '--cap-add', 'ALL', '--new-session', '--info-fd', String(infoFd)],
    ...['--seccomp', String(filterFd)],
    ...bind(ground.usr, '/usr'),
    ...Object.entries(ground.rootLinks).flatMap(([name, target]) =>
      target === null ? bind(`/${name}`) : ['--symlink', target, `/${name}`],
    ),
    ...['--proc', '/proc', '--dev', '/dev', '--dev-bind-try', '/dev/net/tun', '/dev/net/tun'],
    ...[
      '--perms',
      '1777',
      '--tmpfs',
      '/tmp',
      '--tmpfs',
      '/run',
      '--dir',
      '/run/wireguard',
      '--dir',
      '/var',
      '--symlink',
      '/run',
      '/var/run',
      '--dir',
      '/root',
    ],
    ...bind(ground.etc, '/etc'),
    ...(ground.localtime ? bind('/etc/localtime') : []),
    ...bind(`${ground.dist}/fabric/machine.sh`, '/opt/machine.sh'),
    ...(roles
      ? [
          ...bind(ground.dist, '/opt/sallyport/dist'),
          ...['node_modules', 'package.json'].flatMap((part) =>
            bind(`${ground.program}/${part}`, `/opt/sallyport/${part}`),
          ),
          ...bind(ground.node, '/opt/tools/node'),
          ...(ground.wireguard === null ? [] : bind(ground.wireguard, '/opt/tools/wireguard-go')),
          ...bind(ground.jars, '/opt/tools/cassandra/lib'),
          ...(ground.javaPath.startsWith('/usr/') ? [] : bind(ground.javaHome, ground.javaPath)),
          ...ground.javaConfiguration.flatMap((folder) => bind(folder)),
        ]
      : []),
    ...(machine.kind === 'storage' && ground.azurite !== null
      ? bind(ground.azurite, '/opt/tools/azurite')
      : []),
    ...(ground.doors === null ? [] : bind(ground.doors, '/run/control')),
    ...['--bind', ground.disk, '/var/lib/sallyport', '--chdir', '/', '--clearenv'],
    ...Object.entries(environment(ground)).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--', '/bin/sh', '/opt/machine.sh', machine.kind],
  ] as unknown as readonly [string, ...string[]];
}

const environment = (ground: MachineGround): Readonly<Record<string, string>> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  SALLYPORT_MACHINE: '1',
  SALLYPORT_TOOLS: '/opt/tools',
  JAVA_HOME: ground.javaPath,
});

/**
 * Where root started the fabric, machines belong to a user that is nobody: root of a machine that is root of the host
 * outside could write the host's kernel settings through /proc, whatever its namespaces.
 */
export const asUser = (user: MachineUser | null): readonly string[] =>
  user === null
    ? []
    : [
        'setpriv',
        '--reuid',
        String(user.uid),
        '--regid',
        String(user.uid),
        '--clear-groups',
        '--inh-caps=-all',
        '--',
      ];
