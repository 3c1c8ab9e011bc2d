import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { ids, named, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';

export const show = defineCommand({
  path: 'network vnet show',
  summary: 'Show a virtual network.',
  examples: ['network vnet show -g vpn-test-rg -n vnet1'],
  options: { group: optionalGroup, name: named('virtual network', '--vnet-name'), ids },
  async run(cx, options) {
    const client = await cx.arm();
    return showAll(
      client,
      targets(client, 'Microsoft.Network/virtualNetworks', options, ['-n/--name', options.name]),
      flatten,
    );
  },
});
