/** The WireGuard listener: its peers are those of the state, changed in one `wg syncconf`, one change at a time. */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createTurns } from '../lib/turns.ts';
import { ensureWireguard, readWireguard, type WireguardState } from '../network/wireguard.ts';
import { ports } from '../network/ports.ts';
import { tunnelAddress, type Peer } from './members.ts';

export interface TunnelOptions {
  readonly device: string;
  readonly privateKey: string;
  readonly mtu: number;
  readonly tools: string;
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TunnelShape {
  readonly ulaPrefix: string;
  readonly peers: readonly Peer[];
}

export interface Tunnel {
  /**
   * Makes the device what `shape` says at the moment of the change, not at the moment of the call. One that was made so
   * less than `unchangedForMs` ago isn't looked at again.
   */
  apply(shape: () => TunnelShape | undefined, unchangedForMs?: number): Promise<void>;
  /** The device, as it was at most `ageMs` ago. */
  read(ageMs?: number): Promise<WireguardState | undefined>;
}

export function createTunnel(options: TunnelOptions): Tunnel {
  const { device, privateKey, mtu, clock, log, tools, runFolder } = options;
  let applied = { shape: '', at: 0 };
  let known: { readonly state: WireguardState | undefined; readonly at: number } = {
    state: undefined,
    at: 0,
  };
  const inTurn = createTurns();
  return {
    apply(shape, unchangedForMs = 0) {
      return inTurn(async () => {
        const now = shape();
        if (!now) return;
        const text = JSON.stringify(now);
        if (text === applied.shape && clock.now() - applied.at < unchangedForMs) return;
        applied = { shape: '', at: 0 };
        const addresses = [`${tunnelAddress(now.ulaPrefix)}/48`];
        await ensureWireguard(
          { device, privateKey, listenPort: ports.wireguard, addresses, mtu, peers: now.peers },
          { log, tools, runFolder },
        );
        applied = { shape: text, at: clock.now() };
      });
    },
    async read(ageMs = 0) {
      if (clock.now() - known.at >= ageMs) known = { state: await readWireguard(device), at: clock.now() };
      return known.state;
    },
  };
}
