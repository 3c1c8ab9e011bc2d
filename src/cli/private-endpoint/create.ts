import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { flatten } from '../arm/flatten.ts';
import { putResource } from '../arm/operation.ts';
import { group, location, named, noWait, tags } from '../arm/options.ts';
import { regionOf, target } from '../arm/target.ts';

export const create = defineCommand({
  path: 'network private-endpoint create',
  summary: 'Create a private endpoint: one address in a subnet that leads to a private link service.',
  examples: [
    'network private-endpoint create -g vpn-test-rg -n pe1 --vnet-name vnet1 --subnet pe --private-connection-resource-id ID --connection-name conn1 --manual-request true --ip-config name=ip1 private-ip-address=10.0.1.10',
  ],
  options: {
    group,
    name: { ...named('private endpoint'), required: true },
    location,
    vnet: {
      kind: 'text',
      flags: ['--vnet-name'],
      help: 'Name of the virtual network; not with a subnet’s id.',
    },
    subnet: { kind: 'text', flags: ['--subnet'], help: 'Name or id of the subnet.', required: true },
    service: {
      kind: 'text',
      flags: ['--private-connection-resource-id'],
      help: 'Id or alias of the private link service.',
      required: true,
    },
    connection: {
      kind: 'text',
      flags: ['--connection-name'],
      help: 'Name of the connection.',
      required: true,
    },
    manual: {
      kind: 'boolean',
      flags: ['--manual-request'],
      help: 'Ask for approval by hand; always so with an alias.',
    },
    message: { kind: 'text', flags: ['--request-message'], help: 'What whoever approves gets to read.' },
    ipConfig: {
      kind: 'pairs',
      flags: ['--ip-config', '--ip-configs'],
      help: 'A static address: name=NAME private-ip-address=ADDRESS.',
    },
    nic: { kind: 'text', flags: ['--nic-name'], help: 'Name of its network interface.' },
    groupIds: {
      kind: 'list',
      flags: ['--group-id', '--group-ids'],
      help: 'Parts of the service; none for a private link service.',
    },
    tags,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const alias = !options.service.startsWith('/');
    const connection = {
      name: options.connection,
      properties: {
        privateLinkServiceId: options.service,
        ...(options.message !== undefined && { requestMessage: options.message }),
        ...(options.groupIds && { groupIds: options.groupIds }),
      },
    };
    const body = {
      location: await regionOf(client, options.group, options.location),
      ...(options.tags && { tags: options.tags }),
      properties: {
        subnet: { id: subnetId() },
        ipVersionType: 'IPv4',
        ...(options.nic !== undefined && { customNetworkInterfaceName: options.nic }),
        ...(options.ipConfig && { ipConfigurations: [ipConfiguration(options.ipConfig)] }),
        [options.manual || alias ? 'manualPrivateLinkServiceConnections' : 'privateLinkServiceConnections']: [
          connection,
        ],
      },
    };
    const id = target(client, options.group, 'Microsoft.Network/privateEndpoints', options.name);
    return {
      value: flatten(
        await putResource(client, body, {
          what: `private endpoint ${options.name}`,
          id,
          progress: cx.progress,
          noWait: options.noWait,
        }),
      ),
    };

    function subnetId(): string {
      if (options.subnet.startsWith('/')) return options.subnet;
      if (options.vnet === undefined)
        throw new UsageError(
          '--subnet is a name, and --vnet-name is missing.',
          'Add --vnet-name, or give the subnet’s id.',
        );
      return target(
        client,
        options.group,
        'Microsoft.Network/virtualNetworks/subnets',
        options.vnet,
        options.subnet,
      );
    }
  },
});

function ipConfiguration(pairs: Readonly<Record<string, string>>) {
  const {
    name,
    'private-ip-address': privateIPAddress,
    'group-id': groupId,
    'member-name': memberName,
    ...unknown
  } = pairs;
  const stray = Object.keys(unknown);
  if (name === undefined || privateIPAddress === undefined || stray.length > 0) {
    const why = stray.length > 0 ? `does not know ${stray.join(', ')}` : 'needs name and private-ip-address';
    throw new UsageError(`--ip-config ${why}.`, 'Write --ip-config name=ip1 private-ip-address=10.0.1.10');
  }
  return {
    name,
    properties: { privateIPAddress, ...(groupId && { groupId }), ...(memberName && { memberName }) },
  };
}
