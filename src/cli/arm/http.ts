import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

/** HTTPS that believes one authority and no other. `fetch` can't be told that per request. */
export function createHttps(authority: string, signal: AbortSignal) {
  const agent = new Agent({ ca: authority, keepAlive: true, minVersion: 'TLSv1.2' });
  return (wanted: HttpRequest): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const timeoutMs = wanted.timeoutMs ?? 60_000;
      const sent = request(
        wanted.url,
        { method: wanted.method, agent, headers: { ...wanted.headers }, signal },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      const timer = setTimeout(
        () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      sent.on('close', () => clearTimeout(timer));
      sent.on('error', reject);
      sent.end(wanted.body);
    });
}
