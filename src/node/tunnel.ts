import type { JoinFile } from '../exchange/intents/node.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { keepaliveSeconds } from '../network/ports.ts';
import {
  ensureWireguard,
  readWireguard,
  removeWireguard,
  type WireguardIntent,
  type WireguardState,
} from '../network/wireguard.ts';
import type { NodeIdentity } from './identity.ts';
import { bare, tunnelDevice } from './policy.ts';

/** Enrolment comes before the probe: it must get through whatever the link carries. */
const safeMtu = 1280;

/** What every private link of a whole MTU carries: 1500 less WireGuard's 60 over IPv4, with a little to spare. */
export const firstMtu = 1420;

export function oneTimeTunnel(join: JoinFile): WireguardIntent {
  return tunnelTo(join.operator, join.endpoint, join.oneTime.privateKey, join.oneTime.address, safeMtu);
}

export function lastingTunnel(identity: NodeIdentity, endpoint: JoinFile['endpoint']): WireguardIntent {
  const { operator, keys, address, mtu } = identity;
  return tunnelTo(operator, endpoint, keys.wireguard.privateKey, address, mtu ?? firstMtu);
}

function tunnelTo(
  operator: { readonly publicKey: string; readonly address: string },
  endpoint: JoinFile['endpoint'],
  privateKey: string,
  address: string,
  mtu: number,
): WireguardIntent {
  return {
    device: tunnelDevice,
    privateKey,
    // The whole /48 is on the device; the key lets only the operator's address in and out.
    addresses: [`${bare(address)}/48`],
    mtu,
    peers: [
      {
        publicKey: operator.publicKey,
        endpoint,
        allowedIps: [`${bare(operator.address)}/128`],
        keepaliveSeconds,
      },
    ],
  };
}

export interface Tunnel {
  /** Makes the tunnel so; cheap while it is. */
  ensure(intent: WireguardIntent): Promise<void>;
  /**
   * Waits for a handshake with the intended peer. WireGuard itself asks again only every 5 s; a peer that is about to be
   * let in is asked sooner by being made anew. Returns false when `withinMs` have passed without one.
   */
  handshake(intent: WireguardIntent, withinMs: number, signal: AbortSignal): Promise<boolean>;
  remove(): Promise<void>;
  status(): TunnelStatus;
}

export interface TunnelStatus {
  readonly implementation: 'kernel' | 'userspace' | 'none';
  readonly mtu: number | null;
  readonly handshakeAgeSeconds: number | null;
}

/** A new peer is asked again after this long, of the order of what the operator needs to let it in; then less often. */
const askAgainMs = 600;
const askSlowestMs = 5_000;

export function createTunnel(options: {
  readonly tools: string;
  readonly run: string;
  readonly clock: Clock;
  readonly log: Log;
}): Tunnel {
  const wireguard = { log: options.log, tools: options.tools, runFolder: options.run };
  let status: TunnelStatus = { implementation: 'none', mtu: null, handshakeAgeSeconds: null };

  async function ensure(intent: WireguardIntent): Promise<void> {
    const { implementation, state } = await ensureWireguard(intent, wireguard);
    const handshake = handshakeIn(state, intent);
    const age = handshake === null ? null : Math.max(0, Math.round(options.clock.now() / 1000) - handshake);
    status = { implementation, mtu: intent.mtu, handshakeAgeSeconds: age };
  }

  return {
    ensure,
    async handshake(intent, withinMs, signal) {
      const deadline = options.clock.now() + withinMs;
      let askedAt = options.clock.now();
      let patience = askAgainMs;
      while (!signal.aborted) {
        if (handshakeIn(await readWireguard(intent.device), intent) !== null) return true;
        if (options.clock.now() >= deadline) return false;
        if (options.clock.now() - askedAt >= patience) {
          await ensureWireguard({ ...intent, peers: [] }, wireguard);
          await ensureWireguard(intent, wireguard);
          askedAt = options.clock.now();
          patience = Math.min(patience * 1.5, askSlowestMs);
        }
        await options.clock.sleep(60, signal);
      }
      return false;
    },
    async remove() {
      await removeWireguard(tunnelDevice);
      status = { implementation: 'none', mtu: null, handshakeAgeSeconds: null };
    },
    status: () => status,
  };
}

function handshakeIn(state: WireguardState | undefined, intent: WireguardIntent): number | null {
  const peer = state?.peers.find(({ publicKey }) => publicKey === intent.peers[0]?.publicKey);
  return peer?.latestHandshake ?? null;
}
