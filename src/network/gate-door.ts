/**
 * The policy of the gate's own machine: operators come in, each is led to its own cluster's port, and the proxy goes out to the
 * accounts' addresses and to nobody else. A pure plan, applied as one atomic transaction; it has no open state.
 */
import { isIPv6 } from 'node:net';
import type { GateCluster } from '../exchange/intents/gate.ts';
import { answers, errors, renderMachineDoor } from './machine-door.ts';
import { nftSet } from './nft.ts';
import { ports } from './ports.ts';

export interface GateDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  readonly control: { readonly address: string; readonly ports: readonly number[] };
  /** Those that were judged sound: an address that isn't one must not come here. */
  readonly clusters: readonly Pick<GateCluster, 'source' | 'port' | 'accounts'>[];
}

export const gateDoorTable = 'sallyport_gate';

export function planGateDoor({ device, control, clusters }: GateDoor): string {
  const open = clusters.filter(({ accounts }) => accounts.length > 0);
  const upstreams = open.flatMap(({ accounts }) => accounts.map(({ upstream }) => upstream));
  const places = (family: 'ip' | 'ip6'): readonly string[] => {
    const pairs = upstreams
      .filter(({ address }) => isIPv6(address) === (family === 'ip6'))
      .map(({ address, port }) => `${address} . ${port}`);
    return pairs.length === 0
      ? []
      : [`oifname "${device}" ${family} daddr . tcp dport ${nftSet(pairs)} counter accept`];
  };
  return renderMachineDoor({
    table: gateDoorTable,
    prerouting: open.map(
      ({ source, port }) =>
        `iifname "${device}" ip saddr ${source} tcp dport ${ports.gate} redirect to :${port}`,
    ),
    input: [
      answers,
      errors,
      ...open.map(
        ({ source, port }) =>
          `iifname "${device}" ip saddr ${source} tcp dport ${port} ct status dnat counter accept`,
      ),
    ],
    output: [
      answers,
      errors,
      `oifname "${device}" ip daddr ${control.address} tcp dport ${nftSet(control.ports.map(String))} counter accept`,
      ...places('ip'),
      ...places('ip6'),
    ],
  });
}
