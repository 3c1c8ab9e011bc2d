/**
 * A private link, as a plan: a namespace between two routers that translates one connection's packets and passes them on
 * while it is open. Nothing begins at the provider's side.
 */
import type { DeviceShall, NamespaceShall } from './namespace.ts';
import { forwardingSysctls, linkHop } from './router.ts';

export interface PrivateLinkPlanInput {
  readonly name: string;
  /** The end towards the customer's router, and the one towards the provider's. */
  readonly consumer: DeviceShall;
  readonly provider: DeviceShall;
  readonly address: string;
  readonly natAddress: string;
  readonly destination: string;
  readonly port: number;
  readonly open: boolean;
}

/**
 * The two sides may have the same addresses: each packet's way is chosen by where it came in, never by where it goes. The
 * translation stays when the link closes; the gate in `forward` judges every packet, so emptying it cuts at once and
 * filling it lets the same flow go on.
 */
export function planPrivateLink(input: PrivateLinkPlanInput): NamespaceShall {
  const { consumer, provider, address, natAddress, destination, port } = input;
  const gate = [
    `iifname "${consumer.name}" oifname "${provider.name}" ip daddr ${destination} udp dport ${port} ct direction original ct status dnat accept`,
    `iifname "${provider.name}" oifname "${consumer.name}" ip saddr ${destination} udp sport ${port} ct direction reply ct state established accept`,
  ];
  return {
    name: input.name,
    sysctls: forwardingSysctls,
    setup: { ipv4: [], ipv6: [] },
    devices: [consumer, provider],
    addresses: [],
    routes: [
      `default via ${linkHop} dev ${provider.name} onlink table 100`,
      `default via ${linkHop} dev ${consumer.name} onlink table 200`,
    ],
    neighbours: [consumer, provider].map(({ name, far }) => `${linkHop} lladdr ${far.mac} dev ${name}`),
    rules: [`iif ${consumer.name} lookup 100`, `iif ${provider.name} lookup 200`],
    tables: [
      {
        family: 'inet',
        name: 'gate',
        body: [
          '  chain forward { type filter hook forward priority filter; policy drop;',
          ...(input.open ? gate.map((line) => `    ${line}`) : []),
          '  }',
        ].join('\n'),
      },
      {
        family: 'inet',
        name: 'link',
        body: [
          '  chain input { type filter hook input priority filter; policy drop;',
          '  }',
          '  chain output { type filter hook output priority filter; policy drop;',
          '  }',
          '  chain destination { type nat hook prerouting priority dstnat; policy accept;',
          `    iifname "${consumer.name}" ip daddr ${address} udp dport ${port} dnat ip to ${destination}`,
          '  }',
          '  chain source { type nat hook postrouting priority srcnat; policy accept;',
          `    oifname "${provider.name}" snat ip to ${natAddress}`,
          '  }',
        ].join('\n'),
      },
    ],
  };
}
