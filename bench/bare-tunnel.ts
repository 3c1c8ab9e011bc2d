/** The yardstick of the tunnel: two network namespaces, one cable, WireGuard in each; no rule, no route, no translation. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { exec, execStatus, type ExecResult } from '../src/lib/exec.ts';

export interface BareEnd {
  readonly name: string;
  /** On the cable. */
  readonly address: string;
  /** What `wg setconf` reads. */
  readonly configuration: string;
  /** Raises the tunnel's device, in `sh`. */
  readonly up: string;
}

export interface BarePair {
  run(end: string, argv: readonly string[]): Promise<ExecResult & { readonly exitCode: number | null }>;
  /** Starts what ends with the pair. */
  spawn(end: string, argv: readonly string[]): Promise<ChildProcess>;
  close(): Promise<void>;
}

/** In namespaces of their own, which end with the process that holds them. */
export async function openBarePair(options: {
  /** A userspace WireGuard; null where the kernel has it. */
  readonly wireguard: string | null;
  readonly ends: readonly BareEnd[];
}): Promise<BarePair> {
  const ground =
    'mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns /run/wireguard && mount -t proc proc /proc && echo ready && exec cat';
  const holder = spawn(
    'unshare',
    ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ground],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  const first = (await exec('ps', ['-o', 'pid=', '--ppid', String(holder.pid)])).stdout.trim();
  const into = ['-t', first, '-U', '-n', '-m', '-p', '--preserve-credentials', '--wd=/'];
  const inEnd = (end: string, argv: readonly string[]): readonly string[] => [
    ...into,
    'ip',
    'netns',
    'exec',
    end,
    ...argv,
  ];
  const shell = (script: string): Promise<ExecResult> => exec('nsenter', [...into, 'sh', '-ec', script]);

  const [a, b] = options.ends as readonly [BareEnd, BareEnd];
  await shell(`ip netns add ${a.name}; ip netns add ${b.name}
    ip -n ${a.name} link add eth0 mtu 1500 type veth peer name eth0 mtu 1500 netns ${b.name}`);
  for (const [index, end] of options.ends.entries()) {
    // Both ends share one mount namespace, so the control sockets differ by the device's first name.
    const first = `wgb${index}`;
    const make =
      options.wireguard === null
        ? `ip link add wg0 type wireguard`
        : `${options.wireguard} ${first} </dev/null >/dev/null 2>&1`;
    await exec(
      'nsenter',
      inEnd(end.name, [
        'sh',
        '-ec',
        `ip link set lo up; ip address add ${end.address}/24 dev eth0; ip link set eth0 up; ${make}`,
      ]),
    );
    const device = options.wireguard === null ? 'wg0' : first;
    await exec('nsenter', inEnd(end.name, ['sh', '-ec', `cat | wg setconf ${device} /dev/stdin`]), {
      input: end.configuration,
    });
    await exec('nsenter', inEnd(end.name, ['sh', '-ec', end.up.replaceAll('wg0', device)]));
  }
  return {
    run: (end, argv) => execStatus('nsenter', inEnd(end, argv), { timeoutMs: 60_000 }),
    spawn: async (end, argv) => {
      const child = spawn('nsenter', inEnd(end, argv), { stdio: ['ignore', 'ignore', 'inherit'] });
      await once(child, 'spawn');
      return child;
    },
    async close() {
      if (holder.exitCode !== null) return;
      const gone = once(holder, 'exit');
      holder.stdin.end();
      await gone;
    },
  };
}
