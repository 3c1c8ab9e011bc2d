import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { optionalGroup } from '../arm/options.ts';
import { groupId } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';

export const list = defineCommand({
  path: 'network private-endpoint list',
  summary: 'List private endpoints, of a group or of the subscription.',
  examples: ['network private-endpoint list -g vpn-test-rg -o table'],
  options: { group: optionalGroup },
  async run(cx, options) {
    const client = await cx.arm();
    const scope =
      options.group === undefined
        ? `/subscriptions/${client.subscriptionId}`
        : groupId(client, options.group);
    const columns = {
      Name: 'name',
      Address: 'ipConfigurations[0].privateIPAddress',
      Connection:
        '(privateLinkServiceConnections[0] || manualPrivateLinkServiceConnections[0]).privateLinkServiceConnectionState.status',
      ProvisioningState: 'provisioningState',
    };
    return listAll(client, `${scope}/providers/Microsoft.Network/privateEndpoints`, columns, flatten);
  },
});
