/** What stands still in every world: networks, machines, a door, and addresses to aim at. */
import type { FabricMachine } from '../../../src/exchange/intents/fabric.ts';

export const networks = [
  {
    id: 'one',
    prefixes: ['10.1.0.0/16'],
    subnets: [
      { name: 'apps', prefix: '10.1.1.0/24' },
      { name: 'data', prefix: '10.1.2.0/24' },
    ],
  },
  {
    id: 'two',
    prefixes: ['10.2.0.0/16', '192.168.7.0/24'],
    subnets: [
      { name: 'apps', prefix: '10.2.1.0/24' },
      { name: 'side', prefix: '192.168.7.0/24' },
    ],
  },
  { id: 'three', prefixes: ['10.3.0.0/16'], subnets: [{ name: 'apps', prefix: '10.3.1.0/24' }] },
  { id: 'provider', prefixes: ['172.31.0.0/16'], subnets: [{ name: 'operators', prefix: '172.31.1.0/24' }] },
] as const;
export const customers = networks.filter(({ id }) => id !== 'provider');

const machine = (id: string, network: string, subnet: string, address: string): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network,
  subnet,
  address,
  allow: null,
  seed: {},
});
export const machines: readonly FabricMachine[] = [
  machine('a1', 'one', 'apps', '10.1.1.4'),
  machine('a2', 'one', 'apps', '10.1.1.5'),
  machine('a3', 'one', 'data', '10.1.2.8'),
  machine('node', 'one', 'data', '10.1.2.4'),
  machine('b1', 'two', 'apps', '10.2.1.4'),
  machine('b2', 'two', 'side', '192.168.7.4'),
  machine('c1', 'three', 'apps', '10.3.1.4'),
  machine('operator', 'provider', 'operators', '172.31.1.4'),
];
export const senders = machines.filter(({ id }) => id !== 'operator');
export const door = { network: 'one', address: '10.1.1.10', port: 51820 };
export const nat = '172.31.2.4';

export const outside = [
  '192.0.2.10',
  '203.0.113.9',
  '203.0.113.77',
  '198.51.100.10',
  '8.8.8.8',
  '168.63.129.16',
];
export const strange = [
  '10.1.9.9',
  '10.2.9.9',
  '10.77.0.1',
  '192.168.8.1',
  '172.31.1.4',
  '100.64.0.1',
  '169.254.169.254',
  '224.0.0.5',
  '240.0.0.1',
];
export const tags = {
  Storage: ['203.0.113.0/25', '198.51.100.10/32'],
  'Storage.eastus2': ['203.0.113.0/26'],
  AzureMonitor: [],
};
