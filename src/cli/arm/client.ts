import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { JsonObject } from '../../store/resource.ts';
import { ArmRefused } from '../errors.ts';
import { createHttps, type HttpAnswer } from './http.ts';
import type { Session } from './session.ts';

export interface ArmAnswer {
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  /** The body; {} where there was none. */
  readonly body: JsonObject;
}

export interface ArmClient {
  readonly subscriptionId: string;
  readonly session: Session;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** `path`: an ARM id, or an absolute URL that control itself handed out. Throws {@link ArmRefused} above 399. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ArmAnswer>;
  get(path: string): Promise<JsonObject>;
  /** Undefined where there is no such resource. */
  find(path: string): Promise<JsonObject | undefined>;
  list(path: string): Promise<readonly JsonObject[]>;
}

/** The api-version for a path, by its last provider namespace. */
export function apiVersionFor(path: string): string {
  const namespace = /.*\/providers\/([^/?]+)/i.exec(path)?.[1]?.toLowerCase();
  if (namespace === 'microsoft.documentdb') return '2026-03-15';
  if (namespace === 'microsoft.network') return '2025-07-01';
  return '2024-11-01';
}

export function createArmClient(
  session: Session,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): ArmClient {
  const https = createHttps(session.authority, options.signal);
  let token: Promise<string> | undefined;

  const ask = async (wanted: Parameters<typeof https>[0]): Promise<HttpAnswer> => {
    try {
      return await https(wanted);
    } catch (error) {
      options.signal.throwIfAborted();
      throw unreachable(session.endpoint, error as NodeJS.ErrnoException);
    }
  };

  const signIn = async (): Promise<string> => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: session.clientId,
      client_secret: session.clientSecret,
      scope: `${session.endpoint}/.default`,
    });
    const answer = await ask({
      method: 'POST',
      url: `${session.endpoint}/${session.tenantId}/oauth2/v2.0/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    const body = parseBody(answer.text);
    if (answer.status === 200 && typeof body['access_token'] === 'string') return body['access_token'];
    throw new ArmRefused(
      answer.status,
      typeof body['error'] === 'string' ? body['error'] : 'AuthenticationFailed',
      typeof body['error_description'] === 'string'
        ? body['error_description']
        : `Signing in was refused (HTTP ${answer.status}).`,
      [],
      'Check the credentials: sallyport env --as customer shows those of this installation.',
    );
  };

  const send: ArmClient['send'] = async (method, path, body, headers = {}) => {
    token ??= signIn();
    const url = path.startsWith('https://') ? path : `${session.endpoint}${withVersion(path)}`;
    const answer = await ask({
      method,
      url,
      headers: {
        ...headers,
        authorization: `Bearer ${await token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.status >= 400) throw refusal(answer);
    return { status: answer.status, headers: answer.headers, body: parseBody(answer.text) };
  };

  const get: ArmClient['get'] = async (path) => (await send('GET', path)).body;
  return {
    subscriptionId: session.subscriptionId,
    session,
    clock: options.clock,
    signal: options.signal,
    send,
    get,
    async find(path) {
      try {
        return await get(path);
      } catch (error) {
        if (error instanceof ArmRefused && error.status === 404) return undefined;
        throw error;
      }
    },
    async list(path) {
      const found: JsonObject[] = [];
      for (let next: string | undefined = path; next;) {
        const page: JsonObject = await get(next);
        found.push(...((page['value'] ?? []) as readonly JsonObject[]));
        next = page['nextLink'] as string | undefined;
      }
      return found;
    },
  };
}

/** Our own routes have no versions; ARM's must have one. */
function withVersion(path: string): string {
  if (!path.startsWith('/subscriptions') || path.includes('api-version=')) return path;
  return `${path}${path.includes('?') ? '&' : '?'}api-version=${apiVersionFor(path)}`;
}

function parseBody(text: string): JsonObject {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return { text };
  }
}

function refusal(answer: HttpAnswer): ArmRefused {
  const error = parseBody(answer.text)['error'];
  if (error !== null && typeof error === 'object' && 'code' in error) {
    const fault = error as { code: string; message: string; details?: ArmRefused['details'] };
    return new ArmRefused(answer.status, fault.code, fault.message, fault.details ?? []);
  }
  return new ArmRefused(
    answer.status,
    `Http${answer.status}`,
    answer.text.slice(0, 300) || `Control answered with HTTP ${answer.status}.`,
  );
}

function unreachable(endpoint: string, error: NodeJS.ErrnoException): UserError {
  const tls =
    error.code?.startsWith('ERR_TLS') || error.code?.includes('CERT') || error.code?.includes('SIGNATURE');
  if (tls) {
    return new UserError(
      'ControlNotTrusted',
      `Whoever answers at ${endpoint} is not this installation's control: ${error.message}`,
      'sallyport status',
      error,
    );
  }
  return new UserError(
    'ControlUnreachable',
    `Control does not answer at ${endpoint}: ${error.message}`,
    'sallyport up',
    error,
  );
}
