import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { ids, named, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';

export const show = defineCommand({
  path: 'network nic show',
  summary: 'Show a network interface.',
  examples: [
    'network nic show -g vpn-test-rg -n pe1-nic --query "ipConfigurations[0].privateIPAddress" -o tsv',
  ],
  options: { group: optionalGroup, name: named('network interface'), ids },
  async run(cx, options) {
    const client = await cx.arm();
    return showAll(
      client,
      targets(client, 'Microsoft.Network/networkInterfaces', options, ['-n/--name', options.name]),
      flatten,
    );
  },
});
