import {
  access,
  constants,
  cp,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { exec, execStatus } from '../../lib/exec.ts';
import { diskName, ground, shortName, type FabricPaths } from '../names.ts';
import { javaConfiguration, type Tools } from '../tools.ts';
import { asUser, type MachineGround, type MachineUser } from './command.ts';
import { familyFilter } from './families.ts';

/** Users that machines belong to where root started the fabric: no account's on a Debian or Ubuntu. */
export const machineUser = 64088;

/** The parts that all machines share. */
export type SharedGround = Omit<MachineGround, 'etc' | 'disk' | 'doors'>;

/**
 * Binds program, tools and disks to places that the machines' user can walk to: their own may lie below folders that are
 * closed to it. The binds live in the fabric's mount namespace and die with it.
 */
export async function prepareGround(options: {
  readonly program: string;
  readonly tools: Tools;
  readonly paths: FabricPaths;
  readonly user: MachineUser | null;
}): Promise<SharedGround> {
  const { program, tools, paths, user } = options;
  const at = (name: string): string => join(ground, name);
  await mkdir(paths.machines, { recursive: true, mode: 0o711 });
  for (const name of ['etc-source', 'info']) await mkdir(at(name), { recursive: true, mode: 0o755 });
  await writeFile(filterPath, familyFilter(), { mode: 0o644 });
  await bind('/usr', at('usr'));
  await bind(at('etc-source'), at('etc'));
  const code = await copyCode(join(program, 'dist'));
  await bind(code, `${code}.ro`);
  for (const part of ['node_modules', 'package.json']) await bind(join(program, part), at(`program/${part}`));
  await bind(tools.node, at('tools/node'));
  if (tools.wireguard) await bind(tools.wireguard, at('tools/wireguard-go'));
  await bind(tools.cassandra, at('tools/jars'));
  if (tools.azurite) await bind(tools.azurite, at('tools/azurite'));
  await bind(tools.javaHome, at('tools/java'));
  await bind(paths.operatorDoors, at('doors')).catch(() => undefined); // control may not have made them yet
  await bind(paths.machines, at('machines'), 'writable');
  const shared: SharedGround = {
    program: at('program'),
    dist: `${code}.ro`,
    node: at('tools/node'),
    wireguard: tools.wireguard ? at('tools/wireguard-go') : null,
    jars: at('tools/jars'),
    azurite: tools.azurite ? at('tools/azurite') : null,
    javaHome: at('tools/java'),
    javaPath: tools.javaHome,
    javaConfiguration: await javaConfiguration(tools.javaHome),
    usr: at('usr'),
    rootLinks: await readRootLinks(),
    localtime: existsSync('/etc/localtime'),
  };
  await checkReadable(shared, program, user);
  return shared;
}

/**
 * A build may be swapped for another while machines run the first: they keep a copy, from which their roles can start
 * again. Machines that are made later get the newer.
 */
async function copyCode(dist: string): Promise<string> {
  const { ino, mtimeMs } = await stat(dist).catch((error: unknown) => {
    throw new UserError(
      'PartMissing',
      `${dist} is missing: the program is not built.`,
      'Run `./sallyport up`, which builds it.',
      error,
    );
  });
  const copy = join(ground, 'code', `${ino}-${Math.floor(mtimeMs)}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.draft`;
  await rm(draft, { recursive: true, force: true });
  await cp(dist, draft, { recursive: true });
  await rename(draft, copy);
  return copy;
}

/**
 * A mount of one file or folder on another; once. It is made read-only here, where no machine can undo it: a mount that
 * is read-only only inside a machine, its root can make writable again, and an ordinary user's program is that user's.
 */
async function bind(from: string, to: string, mode: 'read-only' | 'writable' = 'read-only'): Promise<void> {
  const source = await stat(from).catch((error: unknown) => {
    throw new UserError(
      'PartMissing',
      `${from} is missing: machines can't be made without it.`,
      'Run `./sallyport up`, which sets up and builds what is missing.',
      error,
    );
  });
  const there = await stat(to).catch(() => undefined);
  if (there && there.ino === source.ino && there.dev === source.dev) return;
  if (source.isDirectory()) await mkdir(to, { recursive: true, mode: 0o755 });
  else {
    await mkdir(dirname(to), { recursive: true, mode: 0o755 });
    if (!there) await writeFile(to, '', { mode: 0o644 });
  }
  await exec('mount', ['--bind', from, to]);
  if (mode === 'writable') return;
  // What the host forbids on this mount (nosuid, nodev) can't be taken back and has to be said again.
  const options = mountOptions(await readFile('/proc/self/mountinfo', 'utf8'), to).filter(
    (option) => option !== 'rw',
  );
  await exec('mount', ['-o', ['remount', 'bind', 'ro', ...options].join(','), to]);
}

/** Options of the last mount on a path. */
export function mountOptions(mountinfo: string, path: string): readonly string[] {
  const line = mountinfo
    .split('\n')
    .map((text) => text.split(' '))
    .findLast((fields) => fields[4] === path);
  return line?.[5]?.split(',') ?? [];
}

async function checkReadable(shared: SharedGround, program: string, user: MachineUser | null): Promise<void> {
  if (!user) return;
  const wanted = [
    `${shared.dist}/server/main.js`,
    `${shared.program}/node_modules`,
    shared.node,
    shared.jars,
    shared.javaHome,
    ...(shared.azurite === null ? [] : [shared.azurite]),
  ];
  for (const path of wanted) {
    const [command, ...args] = [...asUser(user), 'test', '-r', path] as readonly string[] as [
      string,
      ...string[],
    ];
    const { exitCode } = await execStatus(command, args);
    if (exitCode === 0) continue;
    throw new UserError(
      'ProgramUnreadable',
      `${path.replace(shared.program, program)} can't be read by other users, and machines run as one that is nobody.`,
      `chmod -R go+rX ${program}`,
    );
  }
}

async function readRootLinks(): Promise<MachineGround['rootLinks']> {
  const links: Record<string, string | null> = {};
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const found = await lstat(`/${name}`).catch(() => undefined);
    if (found) links[name] = found.isSymbolicLink() ? await readlink(`/${name}`) : null;
  }
  return links;
}

/** Where one machine's disk lies, as the machines' user reaches it. */
export const diskPath = (machineId: string): string => join(ground, 'machines', diskName(machineId));
/** The filter of system calls that every machine starts with. */
export const filterPath = join(ground, 'families.bpf');
export const infoPath = (machineId: string): string => join(ground, 'info', `${shortName(machineId)}.json`);

/** Writes a machine's /etc. It has no resolver: names come with the intent. */
export async function writeEtc(machineId: string, hostname: string, shared: SharedGround): Promise<string> {
  const folder = join(ground, 'etc-source', shortName(machineId));
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const files: Readonly<Record<string, string>> = {
    passwd:
      'root:x:0:0:root:/root:/bin/sh\ncassandra:x:999:999:Cassandra:/var/lib/sallyport:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    group: 'root:x:0:\ncassandra:x:999:\nnogroup:x:65534:\n',
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\nprotocols: files\n',
    // nft asks for names.
    protocols: 'ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n',
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content, { mode: 0o644 });
  // Places for what is bound over them: the folder itself is read-only inside.
  if (shared.localtime) await writeFile(join(folder, 'localtime'), '', { mode: 0o644 });
  for (const path of shared.javaConfiguration)
    await mkdir(join(folder, path.replace('/etc/', '')), { recursive: true, mode: 0o755 });
  return join(ground, 'etc', shortName(machineId));
}

/** The folder with control's sockets for its door, as machines reach it, and the user who owns it. */
export async function findDoors(path: string): Promise<{ readonly folder: string; readonly uid: number }> {
  await access(path, constants.F_OK).catch((error: unknown) => {
    throw new UserError(
      'DoorsMissing',
      `${path} is not there: control has not made its doors yet.`,
      'Wait for control to start, or look at `./sallyport logs control`.',
      error,
    );
  });
  const folder = join(ground, 'doors');
  await bind(path, folder);
  return { folder, uid: (await stat(path)).uid };
}
