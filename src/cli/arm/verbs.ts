import type { Json, JsonObject } from '../../store/resource.ts';
import type { Outcome } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { ArmClient } from './client.ts';
import { confirm } from './confirm.ts';
import { deleteResource } from './operation.ts';
import { nameOf, oneOrAll } from './target.ts';

type Shape = (resource: JsonObject) => Json;
const asIs: Shape = (resource) => resource;

export async function show(client: ArmClient, ids: readonly string[], shape: Shape = asIs): Promise<Outcome> {
  const found = await Promise.all(ids.map((id) => client.get(id)));
  return { value: oneOrAll(found.map(shape)) };
}

export async function list(
  client: ArmClient,
  path: string,
  columns: Readonly<Record<string, string>>,
  shape: Shape = asIs,
): Promise<Outcome> {
  return { value: (await client.list(path)).map(shape), columns };
}

export async function remove(
  cx: CliContext,
  client: ArmClient,
  ids: readonly string[],
  options: {
    readonly what: string;
    readonly yes?: boolean | undefined;
    readonly ask: boolean;
    readonly noWait?: boolean | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  for (const id of ids) {
    const what = `${options.what} ${nameOf(id)}`;
    if (options.ask) await confirm(cx, `Delete ${what}?`, options.yes);
    const { noWait, headers } = options;
    await deleteResource(client, { what, id, progress: cx.progress, noWait, headers });
  }
}
