/** The names of the reference document, and the addresses that its reader would choose. */
export const names = {
  group: 'vpn-test-rg',
  location: 'eastus2',
  cluster: 'vpn-test-cluster',
  network: 'vnet1',
  addressSpace: '10.0.0.0/16',
  subnets: { pe: '10.0.1.0/24', cass: '10.0.2.0/24', apps: '10.0.3.0/24' },
  endpoint: 'pe1',
  endpointInterface: 'pe1-nic',
  endpointAddress: '10.0.1.10',
  connection: 'conn1',
  dataCenter: 'dc1',
  nodes: 3,
  keyspace: 'quickstart',
} as const;
