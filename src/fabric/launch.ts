/**
 * The fabric as the command line sees it, from the host: how it is started, and how one enters a machine in it.
 *
 * fabric/ is the embedded cloud: it realises networks, machines and private links as namespaces. It must never be imported
 * by another role (the command line imports this file only), know a cluster or an ARM resource, or touch anything
 * outside of its own namespaces and $SALLYPORT_HOME/fabric.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filtered } from './machine/families.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export interface FabricOptions {
  /** $SALLYPORT_HOME, absolute. */
  readonly home: string;
  /** The program's folder: dist/, node_modules/ and package.json. */
  readonly program: string;
  /** The Node.js 24 to run it with. */
  readonly node: string;
}

/**
 * Start it detached, with no standard input or output; it logs to `log/fabric.log`. It works as root and as an ordinary
 * user. The process stays as long as the fabric does: SIGTERM ends everything in good order, which takes up to 15 s.
 */
export function fabricCommand(options: FabricOptions): Command & { readonly env: NodeJS.ProcessEnv } {
  return {
    command: '/bin/sh',
    args: [join(options.program, 'dist/fabric/launch.sh')],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      SALLYPORT_HOME: options.home,
      SALLYPORT_PROGRAM: options.program,
      SALLYPORT_NODE: options.node,
    },
  };
}

/**
 * The host's pid of the fabric's PID 1, from the pid of the process that {@link fabricCommand} started; undefined while
 * there is none.
 */
export function fabricInit(launchPid: number): number | undefined {
  for (const pid of childrenOf(launchPid)) {
    if (isInit(pid)) return pid;
    const below = fabricInit(pid);
    if (below !== undefined) return below;
  }
  return undefined;
}

/**
 * Runs a program of the host's inside a machine's user and network namespaces, and no other: it keeps its files, its
 * process ids and its user's rights, speaks from the machine's address, and has the machine's kinds of sockets and no other
 * (`machine/families.ts`; so no setuid program works in it). `fabricPid` is the host's pid of the fabric's
 * PID 1 ({@link fabricInit}); `machinePid` the machine's as `fabric/state.json` has it, in the fabric's PID namespace.
 *
 * The way leads through the fabric's own /proc: /proc/FABRIC/root/proc/MACHINE/ns. Only who started the fabric, and root,
 * may take it. The kernel asks that the user namespace is entered first.
 */
export function enterFromHost(fabricPid: number, machinePid: number, argv: readonly string[]): Command {
  const spaces = `/proc/${fabricPid}/root/proc/${machinePid}/ns`;
  const enter = ['nsenter', `--user=${spaces}/user`, `--net=${spaces}/net`, '--preserve-credentials', '--'];
  const [command, ...args] = filtered([...enter, ...argv]) as [string, ...string[]];
  return { command, args };
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/** Whether it is PID 1 of a namespace below the one /proc shows. */
function isInit(pid: number): boolean {
  try {
    const ids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
    return ids.length > 1 && ids.at(-1) === '1';
  } catch {
    return false;
  }
}
