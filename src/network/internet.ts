/**
 * "The internet", as a plan: a namespace that owns the documentation ranges, answers there, and records every frame that
 * comes in. It passes nothing on, so two networks can't meet through it.
 */
import type { DeviceShall, NamespaceShall } from './namespace.ts';
import { deviceRecorder } from './recorder.ts';

export const internetNamespace = 'internet';
/** TCP and UDP: all ports of all canaries lead here. */
export const canaryPort = 7007;
export const canaryRanges = {
  ipv4: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ipv6: ['2001:db8::/32'],
} as const;
export const canaries = {
  ipv4: ['192.0.2.10', '198.51.100.10', '203.0.113.10'],
  ipv6: ['2001:db8::10'],
} as const;

export interface Uplink {
  readonly cable: DeviceShall;
  /** This end's address on the cable. */
  readonly address: string;
}

/** Addresses of the n-th network's cable: a /30 of the carrier-grade range. */
export function uplinkAddresses(index: number): { readonly gateway: string; readonly address: string } {
  const base = 4 * index;
  const at = (offset: number): string =>
    `100.64.${Math.floor((base + offset) / 256)}.${(base + offset) % 256}`;
  return { gateway: at(1), address: at(2) };
}

export const planInternet = (uplinks: readonly Uplink[]): NamespaceShall => ({
  name: internetNamespace,
  sysctls: { 'ipv4/ip_forward': '0', 'ipv4/conf/all/rp_filter': '0', 'ipv4/conf/default/rp_filter': '0' },
  setup: {
    ipv4: canaryRanges.ipv4.map((range) => `route add local ${range} dev lo`),
    ipv6: canaryRanges.ipv6.map((range) => `route add local ${range} dev lo`),
  },
  devices: uplinks.map(({ cable }) => cable),
  addresses: uplinks.map(({ cable, address }) => `${address}/30 dev ${cable.name}`),
  routes: [],
  neighbours: [],
  rules: [],
  tables: [
    {
      family: 'inet',
      name: 'canaries',
      body: [
        '  chain forward { type filter hook forward priority filter; policy drop;',
        '  }',
        '  chain destination { type nat hook prerouting priority dstnat; policy accept;',
        `    meta l4proto 6 redirect to :${canaryPort}`,
        `    meta l4proto 17 redirect to :${canaryPort}`,
        '  }',
      ].join('\n'),
    },
    ...uplinks.map(({ cable }) => deviceRecorder(cable.name)),
  ],
});
