import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { javaEnvironment } from './java.ts';
import { cassandraUid } from '../user.ts';
import type { CassandraPaths } from '../paths.ts';

/**
 * What stands around the Cassandra process: a PID and mount namespace of its own and no capability, so that one taken
 * over can't signal the agent, read its keys, or touch the door's rules.
 */
export interface Confinement {
  readonly paths: CassandraPaths;
  readonly javaHome: string;
  readonly hostname: string;
  /** Whether uid 999 exists in this machine: then it is the process's own; else it gets a user namespace. */
  readonly ownUid: boolean;
  /** The machine's own layout: `bin` → `usr/bin` where it is a symlink, null where it is a folder. */
  readonly links: Readonly<Record<string, string | null>>;
  /** Folders that the JVM's own symlinks point to. */
  readonly javaExtras: readonly string[];
  /** The file descriptor to which bwrap says the process's pid. */
  readonly infoFd: number;
}

/** Arguments of `bwrap` for Cassandra, up to and without the program. */
export function confine(confinement: Confinement): readonly string[] {
  const { data, log, certificates } = confinement.paths;
  return wallsAround(confinement, {
    life: ['--new-session', '--info-fd', String(confinement.infoFd)],
    binds: [...['--bind', data, data, '--bind', log, log], ...['--ro-bind', certificates, certificates]],
  });
}

/** The same walls around one of its tools: nothing of its data, log or keys, and no longer life than the agent's. */
export const confineTool = (confinement: Confinement): readonly string[] =>
  wallsAround(confinement, {
    life: ['--new-session', '--die-with-parent', '--info-fd', String(confinement.infoFd)],
    binds: [],
  });

function wallsAround(
  confinement: Confinement,
  { life, binds }: { readonly life: readonly string[]; readonly binds: readonly string[] },
): readonly string[] {
  const { paths, javaHome, hostname, ownUid, links, javaExtras } = confinement;
  const etc = (name: string): string[] => ['--ro-bind', `${paths.conf}/${name}`, `/etc/${name}`];
  const uid = String(cassandraUid);
  return [
    // In the machine's own user namespace, where a fresh /proc may be mounted; who the process is comes last.
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--hostname',
    hostname,
    '--as-pid-1',
    ...life,
    '--cap-drop',
    'ALL',
    // To become uid 999 takes these; they are gone with the uid. (SETFCAP: a namespace that maps root asks for it.)
    ...(ownUid ? ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'] : ['CAP_SETFCAP']).flatMap((cap) => [
      '--cap-add',
      cap,
    ]),
    '--ro-bind',
    '/usr',
    '/usr',
    ...Object.entries(links).flatMap(([name, target]) =>
      target === null ? ['--ro-bind', `/${name}`, `/${name}`] : ['--symlink', target, `/${name}`],
    ),
    // Made beforehand: what bwrap makes on the way to a bind is for root only.
    ...parents([javaHome, ...javaExtras, '/etc/passwd', paths.jars, paths.data]).flatMap((folder) => [
      '--perms',
      '0755',
      '--dir',
      folder,
    ]),
    ...[javaHome, ...javaExtras].flatMap((folder) => ['--ro-bind', folder, folder]),
    ...['passwd', 'group', 'hosts', 'nsswitch.conf'].flatMap(etc),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--ro-bind',
    paths.jars,
    paths.jars,
    ...binds,
    '--ro-bind',
    paths.conf,
    paths.conf,
    '--chdir',
    '/',
    '--clearenv',
    '--setenv',
    'PATH',
    '/usr/bin:/bin',
    ...Object.entries(javaEnvironment).flatMap(([name, value]) => ['--setenv', name, value]),
    '--',
    ...(ownUid
      ? [
          'setpriv',
          `--reuid=${uid}`,
          `--regid=${uid}`,
          '--clear-groups',
          '--inh-caps=-all',
          '--bounding-set=-all',
          '--',
        ]
      : ['unshare', '--user', `--map-user=${uid}`, `--map-group=${uid}`, '--']),
  ];
}

/** The folders above some paths, outermost first, that the program's own `/usr` doesn't hold. */
function parents(paths: readonly string[]): readonly string[] {
  const above = paths.flatMap((path) => {
    const names = path.split('/').slice(1, -1);
    return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  });
  return [...new Set(above)].filter((folder) => folder !== '/usr' && !folder.startsWith('/usr/'));
}

/** How `/bin`, `/lib` and the like are made on this machine. */
export function rootLinks(): Confinement['links'] {
  const links: Record<string, string | null> = {};
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const path = `/${name}`;
    if (!existsSync(path)) continue;
    links[name] = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  }
  return links;
}

/** Debian's JVM keeps its configuration in /etc, by symlink. */
export const javaExtras = (): readonly string[] =>
  ['/etc/java-17-openjdk'].filter((path) => existsSync(path));
