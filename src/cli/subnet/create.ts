import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { putResource } from '../arm/operation.ts';
import { group, named, noWait } from '../arm/options.ts';
import { target } from '../arm/target.ts';

export const create = defineCommand({
  path: 'network vnet subnet create',
  summary: 'Create a subnet.',
  examples: [
    'network vnet subnet create -g vpn-test-rg --vnet-name vnet1 -n cass --address-prefixes 10.0.2.0/24',
  ],
  options: {
    group,
    vnet: { kind: 'text', flags: ['--vnet-name'], help: 'Name of the virtual network.', required: true },
    name: { ...named('subnet'), required: true },
    addressPrefixes: {
      kind: 'list',
      flags: ['--address-prefixes', '--address-prefix'],
      help: 'The IPv4 prefix.',
      required: true,
    },
    delegations: { kind: 'list', flags: ['--delegations'], help: 'Services the subnet is delegated to.' },
    serviceEndpoints: {
      kind: 'list',
      flags: ['--service-endpoints'],
      help: 'Services reached from the subnet directly.',
    },
    privateEndpointNetworkPolicies: {
      kind: 'text',
      flags: ['--private-endpoint-network-policies'],
      choices: ['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'],
      help: 'Whether rules of the subnet apply to private endpoints in it.',
    },
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const prefixes = options.addressPrefixes;
    const body = {
      name: options.name,
      properties: {
        ...(prefixes.length === 1 ? { addressPrefix: prefixes[0]! } : { addressPrefixes: prefixes }),
        privateEndpointNetworkPolicies: options.privateEndpointNetworkPolicies ?? 'Disabled',
        privateLinkServiceNetworkPolicies: 'Enabled',
        ...(options.delegations && {
          delegations: options.delegations.map((serviceName, index) => ({
            name: String(index),
            properties: { serviceName },
          })),
        }),
        ...(options.serviceEndpoints && {
          serviceEndpoints: options.serviceEndpoints.map((service) => ({ service })),
        }),
      },
    };
    const id = target(
      client,
      options.group,
      'Microsoft.Network/virtualNetworks/subnets',
      options.vnet,
      options.name,
    );
    return {
      value: flatten(
        await putResource(client, body, {
          what: `subnet ${options.name}`,
          id,
          progress: cx.progress,
          noWait: options.noWait,
        }),
      ),
    };
  },
});
