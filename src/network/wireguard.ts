import { spawn } from 'node:child_process';
import { accessSync, constants, openSync, closeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { exec, execStatus } from '../lib/exec.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { isWireguardKey, wireguardPublicKey } from './wireguard-keys.ts';

export { generateWireguardKeys, wireguardPublicKey } from './wireguard-keys.ts';

/** An unmodified WireGuard device: in the kernel where it can be, else the userspace implementation. */
export interface WireguardPeer {
  readonly publicKey: string;
  readonly endpoint?: { readonly address: string; readonly port: number };
  readonly allowedIps: readonly string[];
  readonly keepaliveSeconds?: number;
}

export interface WireguardIntent {
  readonly device: string;
  readonly privateKey: string;
  readonly listenPort?: number;
  /** With prefix length: `fd12:3456:789a::1/48`. */
  readonly addresses: readonly string[];
  readonly mtu: number;
  readonly peers: readonly WireguardPeer[];
}

export interface WireguardPeerState {
  readonly publicKey: string;
  /** As the kernel writes it: `10.0.1.10:51820`; null before the first packet. */
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  /** Seconds since the epoch; null: never. */
  readonly latestHandshake: number | null;
  readonly received: number;
  readonly sent: number;
  readonly keepaliveSeconds: number;
}

export interface WireguardState {
  readonly publicKey: string;
  readonly listenPort: number;
  readonly peers: readonly WireguardPeerState[];
}

export interface WireguardOptions {
  readonly log: Log;
  /** The folder that holds `wireguard-go`, where it was built; PATH is asked next. */
  readonly tools: string;
  /** Of the machine's own: drafts with keys (0600), gone after use. */
  readonly runFolder: string;
}

/** What `wg syncconf` reads. */
export function wireguardConfig(intent: WireguardIntent): string {
  const lines = ['[Interface]', `PrivateKey = ${checkedKey(intent.privateKey)}`];
  if (intent.listenPort !== undefined) lines.push(`ListenPort = ${intent.listenPort}`);
  for (const peer of intent.peers) {
    lines.push('[Peer]', `PublicKey = ${checkedKey(peer.publicKey)}`);
    if (peer.allowedIps.length > 0)
      lines.push(`AllowedIPs = ${peer.allowedIps.map(checkedAddress).join(', ')}`);
    if (peer.endpoint) lines.push(`Endpoint = ${hostPort(peer.endpoint)}`);
    lines.push(`PersistentKeepalive = ${peer.keepaliveSeconds ?? 'off'}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Whether a device that is has what it shall have. A peer without an intended endpoint may have roamed. */
export function wireguardDiffers(intent: WireguardIntent, state: WireguardState): boolean {
  if (state.publicKey !== wireguardPublicKey(intent.privateKey)) return true;
  if (intent.listenPort !== undefined && intent.listenPort !== state.listenPort) return true;
  if (intent.peers.length !== state.peers.length) return true;
  return intent.peers.some((peer) => {
    const is = state.peers.find((candidate) => candidate.publicKey === peer.publicKey);
    if (!is || (peer.keepaliveSeconds ?? 0) !== is.keepaliveSeconds) return true;
    if (peer.endpoint && hostPort(peer.endpoint) !== is.endpoint) return true;
    return written(peer.allowedIps) !== written(is.allowedIps);
  });
}

/** IPv6 has many spellings of one address; `wg` and `ip` print the canonical one. */
const canonical = (prefix: string): string => {
  const [host = '', length] = prefix.split('/');
  const spelled = isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
  return length === undefined ? spelled : `${spelled}/${length}`;
};
const written = (prefixes: readonly string[]): string => prefixes.map(canonical).sort().join();

/** Makes the device so. Idempotent; what runs already and is right is not touched. */
export async function ensureWireguard(
  intent: WireguardIntent,
  options: WireguardOptions,
): Promise<{ readonly implementation: 'kernel' | 'userspace'; readonly state: WireguardState | undefined }> {
  let link = await readLink(intent.device);
  if (!link) {
    await createDevice(intent.device, options);
    link = await readLink(intent.device);
    if (!link) throw new Error(`The WireGuard device ${intent.device} vanished after it was made.`);
  }
  let state = await readWireguard(intent.device);
  if (!state || wireguardDiffers(intent, state)) {
    const draft = join(options.runFolder, `${intent.device}.conf`);
    await writeFileAtomic(draft, wireguardConfig(intent), 0o600);
    try {
      await exec('wg', ['syncconf', intent.device, draft], { timeoutMs: 10_000 });
    } finally {
      await rm(draft, { force: true });
    }
    state = await readWireguard(intent.device);
  }
  const shall = intent.addresses.map((address) => canonical(checkedAddress(address)));
  for (const address of shall.filter((wanted) => !link.addresses.includes(wanted))) {
    const flags = address.includes(':') ? ['nodad'] : [];
    await exec('ip', ['address', 'add', address, 'dev', intent.device, ...flags]);
  }
  for (const address of link.addresses.filter((is) => !shall.includes(is))) {
    await exec('ip', ['address', 'delete', address, 'dev', intent.device]);
  }
  if (link.mtu !== intent.mtu || !link.up) {
    await exec('ip', ['link', 'set', 'dev', intent.device, 'mtu', String(intent.mtu), 'up']);
    // Only faster: an iproute2 or a kernel that doesn't know it carries the same packets.
    if (!link.kernel)
      await execStatus('ip', segmentsCommand(intent.device, intent.mtu), { timeoutMs: 10_000 });
  }
  return { implementation: link.kernel ? 'kernel' : 'userspace', state };
}

/**
 * How the kernel hands TCP to a userspace WireGuard: no more segments at once than it can send on as one datagram. One
 * segment more costs a second datagram, which each hop judges anew: a tenth of the whole throughput. For `ip`.
 */
export function segmentsCommand(device: string, mtu: number): readonly string[] {
  // A datagram over IPv4, WireGuard's header and tag, and what the kernel splits at once.
  const segments = Math.min(64, Math.floor(65_507 / (mtu + 32)));
  return ['link', 'set', 'dev', device, 'gso_max_segs', String(segments)];
}

/**
 * How a userspace WireGuard runs: on half of the processors at once. It hands every few packets from worker to worker; where each of
 * these wakes another processor, a byte takes a fifth more, of the time of those whose byte it is.
 */
export const userspaceEnvironment: Readonly<Record<string, string>> = {
  LOG_LEVEL: 'error',
  GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
};

/** The device as it is; undefined where there is none. */
export async function readWireguard(device: string): Promise<WireguardState | undefined> {
  const dump = await execStatus('wg', ['show', device, 'dump'], { timeoutMs: 10_000 });
  return dump.exitCode === 0 ? parseDump(dump.stdout) : undefined;
}

export function parseDump(text: string): WireguardState {
  const [first = '', ...rest] = text.trimEnd().split('\n');
  const [, publicKey = '', listenPort = '0'] = first.split('\t');
  return {
    publicKey,
    listenPort: Number(listenPort),
    peers: rest.map((line) => {
      const [key = '', , endpoint, allowed = '', handshake, received, sent, keepalive] = line.split('\t');
      return {
        publicKey: key,
        endpoint: endpoint === '(none)' ? null : (endpoint ?? null),
        allowedIps: allowed === '(none)' ? [] : allowed.split(','),
        latestHandshake: Number(handshake) || null,
        received: Number(received),
        sent: Number(sent),
        keepaliveSeconds: Number(keepalive) || 0,
      };
    }),
  };
}

export async function removeWireguard(device: string): Promise<void> {
  await execStatus('ip', ['link', 'delete', 'dev', device], { timeoutMs: 10_000 });
}

async function createDevice(device: string, { log, tools, runFolder }: WireguardOptions): Promise<void> {
  const kernel = await execStatus('ip', ['link', 'add', 'dev', device, 'type', 'wireguard']);
  if (kernel.exitCode === 0) return;
  const program = userspaceProgram(tools);
  if (!program) {
    throw new UserError(
      'NoWireguard',
      `This machine has no WireGuard: the kernel refuses it (${kernel.stderr.trim()}) and there is no wireguard-go.`,
      'load the kernel module, or install the package wireguard-go',
    );
  }
  await mkdir(runFolder, { recursive: true, mode: 0o700 });
  const output = openSync(join(runFolder, `${device}.log`), 'a', 0o600);
  try {
    // In a session of its own: the tunnel outlives whoever started it.
    const child = spawn(program, ['--foreground', device], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH: process.env['PATH'], ...userspaceEnvironment },
    });
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`wireguard-go ended with ${code ?? 'a signal'} at its start.`)),
      );
    });
    ended.catch(() => undefined);
    child.unref();
    const ready = until(
      'wireguard-go to answer',
      async () => ((await readWireguard(device)) ? true : undefined),
      {
        timeoutMs: 10_000,
        everyMs: 30,
      },
    );
    await Promise.race([ready, ended]);
    child.removeAllListeners();
  } finally {
    closeSync(output);
  }
  log.info('WireGuard runs in userspace', { device, reason: kernel.stderr.trim() });
}

function userspaceProgram(tools: string): string | undefined {
  const folders = [tools, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders
    .map((folder) => join(folder, 'wireguard-go'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

interface Link {
  readonly kernel: boolean;
  readonly up: boolean;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

async function readLink(device: string): Promise<Link | undefined> {
  const said = await execStatus('ip', ['-j', '-d', 'address', 'show', 'dev', device], { timeoutMs: 10_000 });
  if (said.exitCode !== 0) return undefined;
  const [link] = JSON.parse(said.stdout) as {
    flags: string[];
    mtu: number;
    linkinfo?: { info_kind?: string };
    addr_info: { local: string; prefixlen: number; scope: string }[];
  }[];
  return (
    link && {
      kernel: link.linkinfo?.info_kind === 'wireguard',
      up: link.flags.includes('UP'),
      mtu: link.mtu,
      addresses: link.addr_info
        .filter((address) => address.scope !== 'link')
        .map((address) => `${address.local}/${address.prefixlen}`),
    }
  );
}

const hostPort = ({ address, port }: { readonly address: string; readonly port: number }): string => {
  if (isIP(address) === 0 || !Number.isInteger(port))
    throw new Error(`'${address}:${port}' is no address and port.`);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
};

/** What goes into a configuration file line by line must be what it claims to be. */
function checkedKey(key: string): string {
  if (!isWireguardKey(key)) throw new Error('A WireGuard key is 32 bytes in base64.');
  return key;
}

function checkedAddress(address: string): string {
  const [host = '', length, ...rest] = address.split('/');
  if (isIP(host) === 0 || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) {
    throw new Error(`'${address}' is no address or prefix.`);
  }
  return address;
}
