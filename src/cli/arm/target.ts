import { parseArmId, resourceId } from '../../arm/id.ts';
import { UsageError } from '../errors.ts';
import type { ArmClient } from './client.ts';

export const groupId = (client: ArmClient, group: string): string =>
  `/subscriptions/${client.subscriptionId}/resourceGroups/${encodeURIComponent(group)}`;

/** The ids a command speaks of: those given, or the one that group and names make. */
export function targets(
  client: ArmClient,
  type: string,
  given: { readonly ids?: readonly string[] | undefined; readonly group?: string | undefined },
  ...names: readonly (readonly [flag: string, value: string | undefined])[]
): readonly string[] {
  if (given.ids !== undefined) {
    for (const id of given.ids) {
      if (parseArmId(id)?.type?.toLowerCase() !== type.toLowerCase()) {
        throw new UsageError(
          `'${id}' is no id of a ${type}.`,
          'Take the id from the output of the show or list command.',
        );
      }
    }
    return given.ids;
  }
  const missing = [['-g/--resource-group', given.group] as const, ...names].filter(
    ([, value]) => value === undefined,
  );
  if (missing.length > 0) {
    throw new UsageError(
      `The following arguments are required: ${missing.map(([flag]) => flag).join(', ')}`,
      'Give them, or --ids.',
    );
  }
  return [target(client, given.group!, type, ...names.map(([, value]) => value!))];
}

/** Names are put into a path as they are meant: control judges them, the path must not. */
export const target = (client: ArmClient, group: string, type: string, ...names: readonly string[]): string =>
  resourceId(client.subscriptionId, encodeURIComponent(group), type, ...names.map(encodeURIComponent));

/** One thing for one id, a list for several: as az does. */
export const oneOrAll = <T>(items: readonly T[]): T | readonly T[] =>
  items.length === 1 ? items[0]! : items;

/** The region given, or that of the group. */
export async function regionOf(
  client: ArmClient,
  group: string,
  location: string | undefined,
): Promise<string> {
  if (location !== undefined) return location;
  return String((await client.get(groupId(client, group)))['location']);
}

export const nameOf = (id: string): string => decodeURIComponent(id.split('/').at(-1)!);
