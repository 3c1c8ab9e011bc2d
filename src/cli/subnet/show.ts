import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { ids, named, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';

export const show = defineCommand({
  path: 'network vnet subnet show',
  summary: 'Show a subnet.',
  examples: ['network vnet subnet show -g vpn-test-rg --vnet-name vnet1 -n cass'],
  options: {
    group: optionalGroup,
    vnet: { kind: 'text', flags: ['--vnet-name'], help: 'Name of the virtual network.' },
    name: named('subnet'),
    ids,
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
    return showAll(client, found, flatten);
  },
});
