import { defineCommand } from '../command.ts';
import { groupId } from '../arm/target.ts';

export const show = defineCommand({
  path: 'group show',
  summary: 'Show a resource group.',
  examples: ['group show -n vpn-test-rg'],
  options: {
    name: {
      kind: 'text',
      flags: ['-n', '--name', '--resource-group'],
      help: 'Name of the group.',
      required: true,
    },
  },
  async run(cx, options) {
    const client = await cx.arm();
    return { value: await client.get(groupId(client, options.name)) };
  },
});
