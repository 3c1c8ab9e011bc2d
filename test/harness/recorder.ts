/**
 * What control's API is asked and answers, as it goes over the wire, recorded inside control's own process: clients stay as
 * they are. Sign-in is left out, and a secret in a body is cut out before it is kept.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly apiVersion: string | null;
  readonly request: unknown;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: unknown;
}

const channel = 'http.server.request.start';
const secret = /password|secret|token|pem$/i;
const kept = ['azure-asyncoperation', 'location', 'retry-after', 'x-ms-request-id', 'etag', 'content-type'];

/** Records ARM's paths until `stop`; each exchange once its answer has been sent. */
export function recordExchanges(onExchange: (exchange: Exchange) => void): { stop(): void } {
  const listen = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const url = new URL(request.url ?? '/', 'https://control');
    if (!/^\/+(subscriptions|tenants|providers)(\/|$)/i.test(url.pathname)) return;
    const sent = collectRequest(request);
    const headers = collectHeaders(response);
    const answered = collectResponse(response);
    response.once('finish', () =>
      onExchange({
        method: request.method ?? '',
        path: url.pathname,
        apiVersion: url.searchParams.get('api-version'),
        request: read(sent()),
        status: response.statusCode,
        headers: headers(),
        response: read(answered()),
      }),
    );
  };
  subscribe(channel, listen);
  return { stop: () => void unsubscribe(channel, listen) };
}

/** The parser hands the body over by `push`, whoever reads it afterwards. */
function collectRequest(request: IncomingMessage): () => string {
  const chunks: Buffer[] = [];
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (Buffer.isBuffer(chunk)) chunks.push(Buffer.from(chunk));
    return push(chunk, encoding);
  };
  return () => Buffer.concat(chunks).toString();
}

/** The framework hands most headers to `writeHead`, and sets few before. */
function collectHeaders(response: ServerResponse): () => Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const take = (headers: object): void => {
    for (const [name, value] of Object.entries(headers)) {
      if (kept.includes(name.toLowerCase()) && value !== undefined) found[name.toLowerCase()] = String(value);
    }
  };
  const { writeHead } = response;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]) {
    const last = args.at(-1);
    take(this.getHeaders());
    if (typeof last === 'object' && last !== null) take(last);
    return Reflect.apply(writeHead, this, args) as ServerResponse;
  } as ServerResponse['writeHead'];
  return () => found;
}

function collectResponse(response: ServerResponse): () => string {
  const chunks: Buffer[] = [];
  const take = (chunk: unknown): void => {
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) chunks.push(Buffer.from(chunk as string));
  };
  const { write, end } = response;
  response.write = function (this: ServerResponse, ...args: unknown[]) {
    take(args[0]);
    return Reflect.apply(write, this, args) as boolean;
  } as ServerResponse['write'];
  response.end = function (this: ServerResponse, ...args: unknown[]) {
    take(args[0]);
    return Reflect.apply(end, this, args) as ServerResponse;
  } as ServerResponse['end'];
  return () => Buffer.concat(chunks).toString();
}

function read(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text, (key, value: unknown) =>
      secret.test(key) && typeof value === 'string' ? '(cut out)' : value,
    );
  } catch {
    return text;
  }
}
