import { defineCommand } from '../command.ts';
import { tags } from '../arm/options.ts';
import { groupId } from '../arm/target.ts';

export const create = defineCommand({
  path: 'group create',
  summary: 'Create a resource group, or change its tags.',
  examples: ['group create -n vpn-test-rg -l eastus2'],
  options: {
    name: {
      kind: 'text',
      flags: ['-n', '--name', '--resource-group'],
      help: 'Name of the group.',
      required: true,
    },
    location: { kind: 'text', flags: ['-l', '--location'], help: 'Region.', required: true },
    tags,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const body = { location: options.location, ...(options.tags && { tags: options.tags }) };
    return { value: (await client.send('PUT', groupId(client, options.name), body)).body };
  },
});
