import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';

export const list = defineCommand({
  path: 'network vnet subnet list',
  summary: 'List the subnets of a virtual network.',
  examples: ['network vnet subnet list -g vpn-test-rg --vnet-name vnet1 -o table'],
  options: {
    group,
    vnet: { kind: 'text', flags: ['--vnet-name'], help: 'Name of the virtual network.', required: true },
  },
  async run(cx, options) {
    const client = await cx.arm();
    const vnet = target(client, options.group, 'Microsoft.Network/virtualNetworks', options.vnet);
    const columns = { Name: 'name', AddressPrefix: 'addressPrefix', ProvisioningState: 'provisioningState' };
    return listAll(client, `${vnet}/subnets`, columns, flatten);
  },
});
