import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { canaryPort, internetNamespace } from '../network/internet.ts';
import { namespacePath } from '../network/namespace-read.ts';
import { asUser, filterFd, infoFd, type MachineUser } from './machine/command.ts';
import type { SharedGround } from './machine/ground.ts';
import { launch } from './machine/launch.ts';
import { isAlive, markOf, type ProcessMark } from '../lib/process.ts';
import { ground } from './names.ts';

export interface Canary {
  /** Starts the process that answers for all canaries, where it does not run. Needs the internet's namespace. */
  settle(): Promise<void>;
}

/** It meets whatever machines send, so it has neither files nor capabilities nor processes beside it. */
export function createCanary(options: {
  readonly shared: SharedGround;
  readonly user: MachineUser | null;
  readonly clock: Clock;
  readonly onEnd: () => void;
}): Canary {
  const info = join(ground, 'info', 'canary.json');
  let mark: ProcessMark | undefined;
  return {
    async settle() {
      mark ??= await adopt(info);
      if (mark && isAlive(mark)) return;
      mark = await launch(canaryCommand(options.shared, options.user), info, options.clock, options.onEnd);
    },
  };
}

const canaryCommand = (shared: SharedGround, user: MachineUser | null): readonly [string, ...string[]] => [
  'nsenter',
  `--net=${namespacePath(internetNamespace)}`,
  ...asUser(user),
  'bwrap',
  ...[
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--cap-drop',
    'ALL',
    '--new-session',
    '--info-fd',
    String(infoFd),
    '--seccomp',
    String(filterFd),
  ],
  ...['--ro-bind', shared.usr, '/usr'],
  ...Object.entries(shared.rootLinks).flatMap(([name, target]) =>
    target === null ? ['--ro-bind', `/${name}`, `/${name}`] : ['--symlink', target, `/${name}`],
  ),
  ...[
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--ro-bind',
    `${shared.dist}/fabric/canary.pl`,
    '/canary.pl',
    '--chdir',
    '/',
    '--clearenv',
  ],
  ...['--', '/usr/bin/perl', '/canary.pl', String(canaryPort)],
];

async function adopt(info: string): Promise<ProcessMark | undefined> {
  const pid = Number(/"child-pid":\s*(\d+)/.exec(await readFile(info, 'utf8').catch(() => ''))?.[1]);
  if (!Number.isInteger(pid)) return undefined;
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.includes('/canary.pl') ? markOf(pid) : undefined;
}
