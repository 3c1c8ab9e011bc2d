import { defineCommand } from '../command.ts';
import { ids, named, noWait, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';

export const deletePrivateEndpoint = defineCommand({
  path: 'network private-endpoint delete',
  summary: 'Delete a private endpoint; what went through it is cut.',
  examples: ['network private-endpoint delete -g vpn-test-rg -n pe1'],
  options: { group: optionalGroup, name: named('private endpoint'), ids, noWait },
  async run(cx, options) {
    const client = await cx.arm();
    const found = targets(client, 'Microsoft.Network/privateEndpoints', options, ['-n/--name', options.name]);
    await remove(cx, client, found, { what: 'private endpoint', ask: false, noWait: options.noWait });
  },
});
