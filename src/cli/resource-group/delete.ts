import { defineCommand } from '../command.ts';
import { noWait, yes } from '../arm/options.ts';
import { groupId } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';

export const deleteGroup = defineCommand({
  path: 'group delete',
  summary: 'Delete a resource group and all that is in it.',
  examples: ['group delete -n vpn-test-rg --yes'],
  options: {
    name: {
      kind: 'text',
      flags: ['-n', '--name', '--resource-group'],
      help: 'Name of the group.',
      required: true,
    },
    yes,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    await remove(cx, client, [groupId(client, options.name)], { what: 'group', ask: true, ...options });
  },
});
