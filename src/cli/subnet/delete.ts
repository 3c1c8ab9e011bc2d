import { defineCommand } from '../command.ts';
import { ids, named, noWait, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';

export const deleteSubnet = defineCommand({
  path: 'network vnet subnet delete',
  summary: 'Delete a subnet that nothing uses.',
  examples: ['network vnet subnet delete -g vpn-test-rg --vnet-name vnet1 -n apps'],
  options: {
    group: optionalGroup,
    vnet: { kind: 'text', flags: ['--vnet-name'], help: 'Name of the virtual network.' },
    name: named('subnet'),
    ids,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const found = targets(
      client,
      'Microsoft.Network/virtualNetworks/subnets',
      options,
      ['--vnet-name', options.vnet],
      ['-n/--name', options.name],
    );
    await remove(cx, client, found, { what: 'subnet', ask: false, noWait: options.noWait });
  },
});
