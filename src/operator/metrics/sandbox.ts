/**
 * What stands around the operator's Prometheus: it reads what nodes say, and who is root on a node says what it likes. It sees no
 * file of the operator's but its own, no process, has no capability, and can't outlive its role.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs';

export interface SandboxRoom {
  /** Read only. */
  readonly configuration: string;
  /** Its own. */
  readonly data: string;
  /** Bytes; what the kernel doesn't let it pass. */
  readonly memory: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Nobody's, in a user namespace of its own. */
const uid = '65534';

export function sandboxed(command: readonly string[], room: SandboxRoom): readonly [string, ...string[]] {
  return [
    'setpriv',
    ...['--pdeathsig', 'KILL', '--'],
    'bwrap',
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--die-with-parent', '--new-session'],
    // In the machine's own user namespace, where a fresh /proc may be mounted; who the process is comes last, and takes this one.
    ...['--cap-drop', 'ALL', '--cap-add', 'CAP_SETFCAP'],
    ...['--ro-bind', '/usr', '/usr', ...rootLinks()],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...['--ro-bind', room.configuration, room.configuration, '--bind', room.data, room.data],
    ...['--chdir', '/', '--clearenv', '--setenv', 'PATH', '/usr/bin:/bin'],
    ...Object.entries(room.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--', 'prlimit', `--data=${room.memory}`, '--core=0', '--'],
    ...['unshare', '--user', `--map-user=${uid}`, `--map-group=${uid}`, '--'],
    ...command,
  ];
}

/** `/bin` and its like, as this machine has them. */
const rootLinks = (): readonly string[] =>
  ['bin', 'lib', 'lib64']
    .map((name) => `/${name}`)
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    );
