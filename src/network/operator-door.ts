/**
 * The policy of an operator's own machine: what WireGuard lets in, and what may go out. A pure plan, applied as one
 * atomic transaction. It has no open state, and nothing is ever forwarded: no node reaches another through the operator.
 */
import { answers, errors, renderMachineDoor } from './machine-door.ts';
import { ports } from './ports.ts';

export interface OperatorDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  /** The tunnel's interface. */
  readonly tunnel: string;
  /** Control's address: beside the gate's, the only one that this machine may dial. */
  readonly control: { readonly address: string; readonly ports: readonly number[] };
  /** The gate, where there is one: what leads to services. */
  readonly gate?: { readonly address: string; readonly port: number } | undefined;
  /** The cluster's ULA, as far as it is known: the operator's own address and the prefixes of its peers. */
  readonly overlay: { readonly own: string; readonly nodes: string; readonly oneTime: string } | undefined;
}

/** The peers' prefixes of a cluster's `/48`: lasting addresses lie in subnet 1, one-time ones in subnet 0xe. */
export function overlayOf(ulaPrefix: string): NonNullable<OperatorDoor['overlay']> {
  const base = ulaPrefix.replace(/::\/48$/, '');
  return { own: `${base}::1`, nodes: `${base}:1::/64`, oneTime: `${base}:e::/64` };
}

export const operatorDoorTable = 'sallyport_operator';

export function planOperatorDoor(door: OperatorDoor): string {
  const { device, tunnel, control, gate, overlay } = door;
  const fromTunnel = (
    { own }: NonNullable<typeof overlay>,
    source: string,
    protocol: string,
    port: number,
  ): string =>
    `iifname "${tunnel}" ip6 saddr ${source} ip6 daddr ${own} ${protocol} dport ${port} counter accept`;
  return renderMachineDoor({
    table: operatorDoorTable,
    input: [
      answers,
      errors,
      `iifname "${device}" udp dport ${ports.wireguard} counter accept`,
      ...(overlay
        ? [
            fromTunnel(overlay, overlay.oneTime, 'tcp', ports.enrolment),
            fromTunnel(overlay, overlay.nodes, 'tcp', ports.exchange),
            fromTunnel(overlay, overlay.nodes, 'udp', ports.mtuProbe),
            // It goes on to the gate, and to nothing else.
            ...(gate ? [fromTunnel(overlay, overlay.nodes, 'tcp', ports.services)] : []),
          ]
        : []),
    ],
    output: [
      answers,
      errors,
      `oifname "${device}" ip daddr ${control.address} tcp dport { ${control.ports.join(', ')} } counter accept`,
      ...(gate ? [`oifname "${device}" ip daddr ${gate.address} tcp dport ${gate.port} counter accept`] : []),
      // Nodes are asked how Cassandra does; whether they answer is their own doors' to say.
      ...(overlay
        ? [
            `oifname "${tunnel}" ip6 saddr ${overlay.own} ip6 daddr ${overlay.nodes} tcp dport ${ports.metrics} counter accept`,
          ]
        : []),
    ],
  });
}
