import { defineCommand } from '../command.ts';
import { flatten } from '../arm/flatten.ts';
import { putResource } from '../arm/operation.ts';
import { group, location, named, noWait, tags } from '../arm/options.ts';
import { regionOf, target } from '../arm/target.ts';

export const create = defineCommand({
  path: 'network vnet create',
  summary: 'Create a virtual network, and one subnet in it where wanted.',
  examples: [
    'network vnet create -g vpn-test-rg -n vnet1 --address-prefixes 10.0.0.0/16 --subnet-name pe --subnet-prefixes 10.0.1.0/24',
  ],
  options: {
    group,
    name: { ...named('virtual network', '--vnet-name'), required: true },
    location,
    addressPrefixes: {
      kind: 'list',
      flags: ['--address-prefixes', '--address-prefix'],
      help: 'IPv4 prefixes of the address space; 10.0.0.0/16 when left out.',
    },
    subnetName: { kind: 'text', flags: ['--subnet-name'], help: 'A first subnet.' },
    subnetPrefixes: {
      kind: 'list',
      flags: ['--subnet-prefixes', '--subnet-prefix'],
      help: 'The first subnet’s prefix.',
    },
    tags,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const prefixes = options.addressPrefixes ?? ['10.0.0.0/16'];
    const subnet = options.subnetName && {
      name: options.subnetName,
      properties: { addressPrefix: options.subnetPrefixes?.[0] ?? prefixes[0]!.replace(/\/\d+$/, '/24') },
    };
    const body = {
      location: await regionOf(client, options.group, options.location),
      ...(options.tags && { tags: options.tags }),
      properties: { addressSpace: { addressPrefixes: prefixes }, ...(subnet && { subnets: [subnet] }) },
    };
    const id = target(client, options.group, 'Microsoft.Network/virtualNetworks', options.name);
    const made = await putResource(client, body, {
      what: `virtual network ${options.name}`,
      id,
      progress: cx.progress,
      noWait: options.noWait,
    });
    return { value: { newVNet: flatten(made) } };
  },
});
