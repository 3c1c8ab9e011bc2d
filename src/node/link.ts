import { writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { exec, execStatus } from '../lib/exec.ts';
import { devicesThere } from './door.ts';
import { addressOf, prefixLengthOf, type Nic } from './identity.ts';

/** Says what is wrong with a seeded interface description; throws, because nothing can go on without one. */
export function checkNic(value: unknown, path: string): Nic {
  const nic = value as Partial<Nic> | undefined;
  const wrong = !nic
    ? 'is not there'
    : typeof nic.device !== 'string' || !/^[A-Za-z0-9._-]{1,15}$/.test(nic.device)
      ? 'names no device'
      : typeof nic.address !== 'string' ||
          !/^[\d.]+\/\d{1,2}$/.test(nic.address) ||
          !isIPv4(nic.address.split('/')[0]!)
        ? 'has no IPv4 address with prefix length'
        : typeof nic.gateway !== 'string' || !isIPv4(nic.gateway)
          ? 'has no gateway'
          : typeof nic.mtu !== 'number' || nic.mtu < 1280 || nic.mtu > 65_535
            ? 'has no MTU of at least 1280'
            : undefined;
  if (wrong) {
    throw new UserError(
      'BadNic',
      `${path} ${wrong}.`,
      'write {"device","address":"10.0.2.5/24","gateway","mtu"} to it',
    );
  }
  return nic as Nic;
}

/** Resolves when the interface exists, up or down. */
export async function waitForDevice(device: string, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await devicesThere()).includes(device)) await clock.sleep(50, signal);
}

const carrierPatienceMs = 5_000;

/**
 * Resolves when the far end of the link is up too. What is sent before then waits for ARP's next try, a second later, and
 * two handshakes that the tunnel began meanwhile arrive as one: WireGuard may then settle on the one that was given up,
 * and finds out after 15 s. A link that stays dark is no reason to wait for ever: it may come at any time.
 */
export async function waitForCarrier(device: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.now() + carrierPatienceMs;
  while (!signal.aborted && clock.now() < deadline) {
    const said = await execStatus('ip', ['-j', 'link', 'show', 'dev', device]);
    const [link] = said.exitCode === 0 ? (JSON.parse(said.stdout) as { flags: string[] }[]) : [];
    if (link?.flags.includes('LOWER_UP')) return;
    await clock.sleep(30, signal);
  }
}

/** Address, route and link: only called when the door policy and its egress hook stand. */
export async function bringUp(nic: Nic): Promise<void> {
  // The ring and the endpoint are IPv4; a router's advertisement must not give this machine another address.
  await writeFile(`/proc/sys/net/ipv6/conf/${nic.device}/disable_ipv6`, '1').catch(() => undefined);
  const wanted = `${addressOf(nic)}/${prefixLengthOf(nic)}`;
  const said = await execStatus('ip', ['-j', '-4', 'address', 'show', 'dev', nic.device]);
  const [link] =
    said.exitCode === 0
      ? (JSON.parse(said.stdout) as { addr_info?: { local: string; prefixlen: number }[] }[])
      : [];
  const others = (link?.addr_info ?? [])
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
    .filter((is) => is !== wanted);
  for (const other of others) await exec('ip', ['address', 'delete', other, 'dev', nic.device]);
  await exec('ip', ['address', 'replace', wanted, 'dev', nic.device]);
  await exec('ip', ['link', 'set', 'dev', nic.device, 'mtu', String(nic.mtu), 'up']);
  await exec('ip', ['route', 'replace', 'default', 'via', nic.gateway, 'dev', nic.device, 'onlink']);
  await exec('ip', ['link', 'set', 'dev', 'lo', 'up']);
}
