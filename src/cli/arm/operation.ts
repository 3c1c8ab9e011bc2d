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

/** Follows a long operation to its end. Throws what it failed with. */
export async function finish(client: ArmClient, first: ArmAnswer, options: OperationOptions): Promise<void> {
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
    const status = answer.body['status'];
    if (status === undefined ? answer.status !== 202 : status === 'Succeeded') break;
    if (status === 'Failed' || status === 'Canceled')
      throw failure(options.what, status, answer.body['error']);
  }
  options.progress.clear();
}

/** Sends a PUT and, unless told not to wait, follows it; returns the resource as it is then. */
export async function putResource(
  client: ArmClient,
  body: unknown,
  options: OperationOptions & { readonly noWait?: boolean | undefined },
): Promise<JsonObject> {
  options.progress.show(`${options.what}: asking for it`);
  const first = await client.send('PUT', options.id, body);
  if (options.noWait) return first.body;
  await finish(client, first, options);
  return client.get(options.id);
}

export async function deleteResource(
  client: ArmClient,
  options: OperationOptions & { readonly noWait?: boolean | undefined },
): Promise<void> {
  options.progress.show(`${options.what}: asking for its deletion`);
  const first = await client.send('DELETE', options.id);
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
