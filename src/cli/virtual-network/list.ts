import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { optionalGroup } from '../arm/options.ts';
import { groupId } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';

export const list = defineCommand({
  path: 'network vnet list',
  summary: 'List virtual networks, of a group or of the subscription.',
  examples: ['network vnet list -g vpn-test-rg -o table'],
  options: { group: optionalGroup },
  async run(cx, options) {
    const client = await cx.arm();
    const scope =
      options.group === undefined
        ? `/subscriptions/${client.subscriptionId}`
        : groupId(client, options.group);
    const columns = {
      Name: 'name',
      ResourceGroup: "split(id, '/')[4]",
      Location: 'location',
      Prefixes: "join(',', addressSpace.addressPrefixes)",
      Subnets: 'length(subnets)',
      ProvisioningState: 'provisioningState',
    };
    return listAll(client, `${scope}/providers/Microsoft.Network/virtualNetworks`, columns, flatten);
  },
});
