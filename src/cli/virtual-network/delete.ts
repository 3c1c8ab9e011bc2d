import { defineCommand } from '../command.ts';
import { ids, named, noWait, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';

export const deleteVirtualNetwork = defineCommand({
  path: 'network vnet delete',
  summary: 'Delete a virtual network that nothing uses.',
  examples: ['network vnet delete -g vpn-test-rg -n vnet1'],
  options: { group: optionalGroup, name: named('virtual network', '--vnet-name'), ids, noWait },
  async run(cx, options) {
    const client = await cx.arm();
    const found = targets(client, 'Microsoft.Network/virtualNetworks', options, ['-n/--name', options.name]);
    await remove(cx, client, found, { what: 'virtual network', ask: false, noWait: options.noWait });
  },
});
