import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { ids, named, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';

export const show = defineCommand({
  path: 'network private-endpoint show',
  summary: 'Show a private endpoint and the state of its connection.',
  examples: ['network private-endpoint show -g vpn-test-rg -n pe1 --query "networkInterfaces[0].id" -o tsv'],
  options: { group: optionalGroup, name: named('private endpoint'), ids },
  async run(cx, options) {
    const client = await cx.arm();
    return showAll(
      client,
      targets(client, 'Microsoft.Network/privateEndpoints', options, ['-n/--name', options.name]),
      flatten,
    );
  },
});
