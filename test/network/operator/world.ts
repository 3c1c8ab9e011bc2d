/**
 * A world for one operator, inside namespaces that end with the test: control's address in the outer one, the operator's
 * and the nodes' machines as network namespaces on cables of their own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exec, execStatus } from '../../../src/lib/exec.ts';

export interface Place {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  /** Starts a program in it. */
  start(argv: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
  run(
    argv: readonly string[],
  ): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** To be called in a fresh network, mount and PID namespace. */
export async function prepareOuter(controlAddress: string): Promise<void> {
  const script = [
    'mount --make-rprivate /',
    'mount -t proc proc /proc',
    'mount -t tmpfs tmpfs /run',
    'ip link set lo up',
    `ip address add ${controlAddress}/32 dev lo`,
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
  ];
  await exec('sh', ['-ec', script.join('\n')]);
}

/** A machine on a routed /32, as in the fabric. */
export async function makePlace(name: string, address: string): Promise<Place> {
  const ready =
    'mount -t tmpfs tmpfs /run && mkdir -p /run/wireguard && ip link set lo up && echo ready && exec sleep infinity';
  const holder = spawn('unshare', ['--net', '--mount', 'sh', '-ec', ready], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: holder.stdout });
  for await (const line of lines) if (line === 'ready') break;
  const pid = holder.pid!;
  const enter = ['-t', String(pid), '-n', '-m', '--'];
  await exec('ip', [
    'link',
    'add',
    `v-${name}`,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    String(pid),
  ]);
  const outer = [
    `ip link set v-${name} up`,
    `echo 1 > /proc/sys/net/ipv4/conf/v-${name}/proxy_arp; echo 0 > /proc/sys/net/ipv4/neigh/v-${name}/proxy_delay`,
    `ip route add ${address}/32 dev v-${name}`,
  ];
  await exec('sh', ['-ec', outer.join('\n')]);
  const inner = [
    `ip address add ${address}/24 dev eth0`,
    'ip link set eth0 up',
    `ip route add default dev eth0`,
  ];
  await exec('nsenter', [...enter, 'sh', '-ec', inner.join('\n')]);
  return {
    ...{ name, address, pid },
    start: (argv, env) =>
      spawn('nsenter', [...enter, ...argv], {
        env: { ...process.env, ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    run: (argv) => execStatus('nsenter', [...enter, ...argv]),
  };
}

/** A node's stand-in in a place: does one thing per line, and answers with one. */
export interface Puppet {
  ask<T>(command: object): Promise<T>;
}

export function startPuppet(place: Place, tools: string): Puppet {
  const program = fileURLToPath(new URL('./puppet.ts', import.meta.url));
  const child = place.start([process.execPath, program], { PUPPET_TOOLS: tools });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => waiting.shift()?.(line));
  return {
    ask: <T>(command: object) =>
      new Promise<T>((resolve, reject) => {
        waiting.push((line) => {
          const said = JSON.parse(line) as { value?: T; error?: string };
          if (said.error === undefined) resolve(said.value as T);
          else reject(new Error(`${place.name}: ${said.error}`));
        });
        child.stdin!.write(`${JSON.stringify(command)}\n`);
      }),
  };
}
