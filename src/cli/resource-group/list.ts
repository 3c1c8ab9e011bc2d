import { defineCommand } from '../command.ts';
import { list as listAll } from '../arm/verbs.ts';

export const list = defineCommand({
  path: 'group list',
  summary: 'List the resource groups of the subscription.',
  examples: ['group list -o table'],
  options: {},
  async run(cx) {
    const client = await cx.arm();
    const columns = { Name: 'name', Location: 'location', Status: 'properties.provisioningState' };
    return listAll(client, `/subscriptions/${client.subscriptionId}/resourceGroups`, columns);
  },
});
