import { access } from 'node:fs/promises';
import { exec, execStatus } from '../lib/exec.ts';
import { asUser, type MachineUser } from './machine/command.ts';

/** What this host can't do, in words. Asked once, at the start. */
export async function findLimits(user: MachineUser | null): Promise<readonly string[]> {
  const limits: string[] = [];
  const unified = await access('/sys/fs/cgroup/cgroup.controllers').then(
    () => true,
    () => false,
  );
  if (!unified) limits.push('cgroup v1 only: memory of a machine is bounded by -Xmx, not by the kernel');
  if (!(await hasEgressHook()))
    limits.push('no netdev egress hook: inside a node, raw sockets are stopped by the platform policy only');
  if (!(await hasTunnelDevice(user))) {
    limits.push(
      'neither a WireGuard kernel module nor a /dev/net/tun that may be opened: no tunnel can be made',
    );
  }
  return limits;
}

/** Tried for real, in a namespace that ends with the question. */
async function hasEgressHook(): Promise<boolean> {
  const rules =
    'table netdev try {\n chain c { type filter hook egress device "lo" priority 0; policy accept;\n }\n}\n';
  return exec('unshare', ['--net', 'nft', '-f', '-'], { input: rules }).then(
    () => true,
    () => false,
  );
}

/** What a WireGuard needs: the kernel's own, or a TUN device that whoever runs machines may open. */
async function hasTunnelDevice(user: MachineUser | null): Promise<boolean> {
  const tries = ['ip link add try type wireguard', 'exec 3<>/dev/net/tun'];
  const [command, ...args] = [...asUser(user), 'sh', '-c', tries[1]!] as readonly string[] as [
    string,
    ...string[],
  ];
  const kernel = execStatus('unshare', ['--net', 'sh', '-c', tries[0]!]);
  const device = execStatus(command, args);
  return (await Promise.all([kernel, device])).some(({ exitCode }) => exitCode === 0);
}
