import { defineCommand } from '../command.ts';
import { list as listAll } from '../arm/verbs.ts';
import { optionalGroup } from '../arm/options.ts';
import { serviceId, serviceName, serviceType } from './target.ts';

export const list = defineCommand({
  path: 'network private-endpoint-connection list',
  summary: 'List who asks for a private link service, and in what state.',
  examples: ['network private-endpoint-connection list --id SERVICE-ID --as provider -o table'],
  options: {
    id: { kind: 'text', flags: ['--id'], help: 'Id of the private link service, instead of names.' },
    serviceName: { ...serviceName, flags: ['-n', '--name', '--resource-name'] },
    group: optionalGroup,
    type: serviceType,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const columns = {
      Name: 'name',
      State: 'properties.privateLinkServiceConnectionState.status',
      Endpoint: "split(properties.privateEndpoint.id, '/')[8]",
      Description: 'properties.privateLinkServiceConnectionState.description',
    };
    return listAll(client, `${serviceId(client, options)}/privateEndpointConnections`, columns);
  },
});
