import type { JsonObject } from '../../store/resource.ts';
import { ArmRefused } from '../errors.ts';
import type { Progress } from '../output/progress.ts';
import type { ArmAnswer, ArmClient } from './client.ts';

export interface OperationOptions {
  /** `cluster vpn-test-cluster`. */
  readonly what: string;
  /** The resource's id: read for what it waits for, and returned at the end. */
  readonly id: string;
  readonly progress: Progress;
}

/** Follows a long operation to its end, and returns its last answer. Throws what it failed with. */
export async function finish(
  client: ArmClient,
  first: ArmAnswer,
  options: OperationOptions,
): Promise<JsonObject> {
  let last = first.body;
  const monitor =
    header(first.headers['azure-asyncoperation']) ??
    (first.status === 202 ? first.headers.location : undefined);
  let delay = retryAfter(first.headers['retry-after']);
  while (monitor !== undefined) {
    options.progress.show(`${options.what}: ${await waitingFor(client, options.id)}`);
    await client.clock.sleep(delay, client.signal);
    client.signal.throwIfAborted();
    const answer = await client.send('GET', monitor);
    delay = retryAfter(answer.headers['retry-after']);
    last = answer.body;
    const status = answer.body['status'];
    if (status === undefined ? answer.status !== 202 : status === 'Succeeded') break;
    if (status === 'Failed' || status === 'Canceled')
      throw failure(options.what, status, answer.body['error']);
  }
  options.progress.clear();
  return last;
}

/** Sends a PUT and, unless told not to wait, follows it; returns the resource as it is then. */
export const putResource = (
  client: ArmClient,
  body: unknown,
  options: OperationOptions & { readonly noWait?: boolean | undefined },
): Promise<JsonObject> => change(client, 'PUT', options.id, body, options);

/** Like {@link putResource}, for a part of the properties. */
export const patchResource = (
  client: ArmClient,
  body: unknown,
  options: OperationOptions & { readonly noWait?: boolean | undefined },
): Promise<JsonObject> => change(client, 'PATCH', options.id, body, options);

/** A POST of an action that changes the resource; returns the resource as it is then. */
export const postAction = (
  client: ArmClient,
  action: string,
  options: OperationOptions & {
    readonly noWait?: boolean | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<JsonObject> => change(client, 'POST', `${options.id}/${action}`, undefined, options);

async function change(
  client: ArmClient,
  method: 'PUT' | 'PATCH' | 'POST',
  path: string,
  body: unknown,
  options: OperationOptions & {
    readonly noWait?: boolean | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<JsonObject> {
  options.progress.show(`${options.what}: asking for it`);
  const first = await client.send(method, path, body, options.headers);
  if (options.noWait) return first.body;
  await finish(client, first, options);
  return client.get(options.id);
}

export async function deleteResource(
  client: ArmClient,
  options: OperationOptions & {
    readonly noWait?: boolean | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): Promise<void> {
  options.progress.show(`${options.what}: asking for its deletion`);
  const first = await client.send('DELETE', options.id, undefined, options.headers);
  if (!options.noWait) await finish(client, first, options);
}

/** What a resource says it waits for, in its own words. */
export function waitingWords(resource: JsonObject | undefined): string {
  const properties = (resource?.['properties'] ?? {}) as JsonObject;
  const fault = properties['provisionError'] as JsonObject | null | undefined;
  const said = properties['waitingFor'] ?? fault?.['message'];
  return typeof said === 'string' && said !== ''
    ? said
    : String(properties['provisioningState'] ?? 'under way').toLowerCase();
}

async function waitingFor(client: ArmClient, id: string): Promise<string> {
  const resource = await client.find(id);
  return resource === undefined ? 'under way' : waitingWords(resource);
}

const header = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

function retryAfter(header: string | undefined): number {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 30) * 1000 : 1000;
}

function failure(what: string, status: string, error: unknown): ArmRefused {
  const fault = (error ?? {}) as { readonly code?: string; readonly message?: string };
  const code = fault.code ?? status;
  return new ArmRefused(200, code, fault.message ?? `The operation on ${what} ended as ${status}.`);
}
