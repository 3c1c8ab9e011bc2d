import { open, readFile, statfs } from 'node:fs/promises';
import { SetupError } from '../errors.ts';
import type { Probe } from './probe.ts';

const gib = 2 ** 30;
/** Three Cassandra nodes with small heaps, their agents and an operator. */
export const memoryNeeded = 4 * gib;
/** For what set-up fetches, and the data of a small ring. */
export const diskNeeded = 5 * gib;
/** Where everything is fetched already: on less, Cassandra ends itself while it starts. */
export const diskToStart = 1 * gib;

/** What is too small, as an error with its remedy; undefined: enough. */
export function tooLittle(
  what: 'memory' | 'disk',
  available: number,
  place: string,
  needed = what === 'memory' ? memoryNeeded : diskNeeded,
): SetupError | undefined {
  if (available >= needed) return undefined;
  const amounts = `${(available / gib).toFixed(1)} GiB are available, ${needed / gib} GiB are needed`;
  return what === 'memory'
    ? new SetupError(
        'TooLittleMemory',
        `Three Cassandra nodes don't fit into memory: ${amounts}.`,
        'End other programs, or use a machine with more memory.',
      )
    : new SetupError(
        'TooLittleDisk',
        `${place} has too little room: ${amounts}.`,
        'Free some, or export SALLYPORT_HOME=/a/folder/on/a/larger/disk',
      );
}

export async function checkMemory(): Promise<void> {
  const info = await readFile('/proc/meminfo', 'utf8');
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1] ?? Number.NaN) * 1024;
  const error = Number.isNaN(available) ? undefined : tooLittle('memory', available, '');
  if (error) throw error;
}

export async function checkDisk(folder: string, needed = diskNeeded): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const error = tooLittle('disk', bavail * bsize, folder, needed);
  if (error) throw error;
}

/** Tries one, as machines will be made; names what forbids it. */
export async function checkUserNamespaces(probe: Probe): Promise<void> {
  const tried = await probe.say('unshare', [
    '--user',
    '--map-root-user',
    '--net',
    '--mount',
    '--pid',
    '--fork',
    'true',
  ]);
  if (tried !== undefined) return;
  throw forbiddenNamespaces({
    appArmor: await readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    debian: await readSetting('/proc/sys/kernel/unprivileged_userns_clone'),
    limit: await readSetting('/proc/sys/user/max_user_namespaces'),
  });
}

/** A userspace WireGuard needs the tun device; the fabric makes one of its own where root starts it. */
export async function checkTunnelDevice(path = '/dev/net/tun'): Promise<void> {
  try {
    await (await open(path, 'r+')).close();
  } catch (error) {
    throw new SetupError(
      'NoTunnelDevice',
      `${path} can't be opened, and this kernel has no WireGuard that machines may use: ${(error as Error).message}`,
      `As root: modprobe tun; chmod 0666 ${path}  (as udev does by itself where it runs)`,
    );
  }
}

interface NamespaceSettings {
  readonly appArmor: string | undefined;
  readonly debian: string | undefined;
  readonly limit: string | undefined;
}

export function forbiddenNamespaces(settings: NamespaceSettings): SetupError {
  const code = 'NoUserNamespaces';
  if (settings.appArmor === '1') {
    return new SetupError(
      code,
      'AppArmor forbids user namespaces to ordinary users here (kernel.apparmor_restrict_unprivileged_userns is 1, the default of Ubuntu 24.04). Machines are made of them.',
      'As root, either give unshare and bwrap a profile with `userns,` (docs/operate/ubuntu-apparmor.md has it), or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    );
  }
  if (settings.debian === '0') {
    return new SetupError(
      code,
      'The kernel forbids user namespaces to ordinary users (kernel.unprivileged_userns_clone is 0). Machines are made of them.',
      'As root: sysctl -w kernel.unprivileged_userns_clone=1',
    );
  }
  if (settings.limit === '0') {
    return new SetupError(
      code,
      'No user namespace may be made here (user.max_user_namespaces is 0). Machines are made of them.',
      'As root: sysctl -w user.max_user_namespaces=15000',
    );
  }
  return new SetupError(
    code,
    "A user namespace can't be made here: `unshare --user --map-root-user --net --mount --pid --fork true` failed. In a container, its seccomp profile often forbids it.",
    'Run Sallyport on a machine or in a container that allows user namespaces.',
  );
}

const readSetting = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
