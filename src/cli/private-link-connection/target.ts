import { parseArmId } from '../../arm/id.ts';
import type { ArmClient } from '../arm/client.ts';
import { named, optionalGroup } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import type { OptionSpec } from '../command.ts';
import { UsageError } from '../errors.ts';

const service = 'Microsoft.Network/privateLinkServices';

export const serviceName = {
  kind: 'text',
  flags: ['--resource-name'],
  help: 'Name of the private link service.',
} as const satisfies OptionSpec;
export const serviceType = {
  kind: 'text',
  flags: ['--type'],
  help: `Type of the service: ${service}.`,
} as const satisfies OptionSpec;
export const description = {
  kind: 'text',
  flags: ['-d', '--description'],
  help: 'Why, for the other side to read.',
} as const satisfies OptionSpec;

export const connectionOptions = {
  id: { kind: 'text', flags: ['--id'], help: 'Id of the connection, instead of names.' },
  name: named('connection'),
  serviceName,
  group: optionalGroup,
  type: serviceType,
} as const;

interface Given {
  readonly id: string | undefined;
  readonly name?: string | undefined;
  readonly serviceName: string | undefined;
  readonly group: string | undefined;
  readonly type: string | undefined;
}

/** The connection that --id, or names, speak of. */
export function connectionId(client: ArmClient, given: Given): string {
  if (given.id !== undefined) return checked(given.id, `${service}/privateEndpointConnections`);
  const { group, serviceName: parent, name } = requireNames(given, given.name);
  return target(client, group, `${service}/privateEndpointConnections`, parent, name!);
}

/** The private link service that --id, or names, speak of. */
export function serviceId(client: ArmClient, given: Given): string {
  if (given.id !== undefined) return checked(given.id, service);
  const { group, serviceName: parent } = requireNames(given, given.serviceName);
  return target(client, group, service, parent);
}

function requireNames(given: Given, name: string | undefined) {
  if (given.type !== undefined && given.type.toLowerCase() !== service.toLowerCase()) {
    throw new UsageError(
      `--type is '${given.type}'; only ${service} has connections here.`,
      `Give --type ${service}, or leave it out.`,
    );
  }
  if (given.group === undefined || given.serviceName === undefined || name === undefined) {
    throw new UsageError(
      'Neither --id nor all names were given.',
      'Give --id, or -g, --resource-name and -n.',
    );
  }
  return { group: given.group, serviceName: given.serviceName, name };
}

function checked(id: string, type: string): string {
  if (parseArmId(id)?.type?.toLowerCase() === type.toLowerCase()) return id;
  throw new UsageError(
    `'${id}' is no id of a ${type}.`,
    'sallyport network private-endpoint-connection list --id SERVICE --as provider shows the ids.',
  );
}
