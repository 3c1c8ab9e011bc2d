/** An account of append blobs, as far as it is needed: by the operator's port for services, in the account's own name. */
import type { OutgoingHttpHeaders } from 'node:http';
import * as https from 'node:https';

export interface StorePlace {
  /** The operator's tunnel address: there is no resolver. */
  readonly address: string;
  readonly port: number;
  /** Signs for the gate; nobody else is believed. */
  readonly authority: string;
  /** The account's host name: what is dialled by SNI and Host. */
  readonly account: string;
  readonly container: string;
  /** The right to write, a secret: it stands in no error and in no log. */
  readonly sas: string;
}

export interface Answer {
  readonly status: number;
  /** The service's own word for what is wrong; null: it said none. */
  readonly code: string | null;
  /** The gate's word for why it refused; null: it wasn't the gate. */
  readonly refusal: string | null;
}

export interface LogStore {
  /** Makes an empty blob where there is none. */
  create(blob: string): Promise<Answer>;
  /** Adds where the blob is exactly `position` long, and nowhere else. */
  append(blob: string, bytes: Buffer, position: number): Promise<Answer>;
  close(): void;
}

/** What SAS of this version, and later ones, are good for. */
const version = '2021-12-02';
const mostOfAnAnswer = 4_096;

export function openStore(place: StorePlace, requestMs: number, signal: AbortSignal): LogStore {
  const agent = new https.Agent({
    ...{ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.3' as const },
    ...{ ca: place.authority, servername: place.account },
  });
  const sas = place.sas.replace(/^\?/, '');

  const put = (blob: string, query: string, headers: OutgoingHttpHeaders, bytes: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const path = `/${[place.container, ...blob.split('/')].map(encodeURIComponent).join('/')}?${query}${sas}`;
      const request = https.request({
        ...{ method: 'PUT', host: place.address, port: place.port, path, agent, signal },
        headers: {
          ...{ host: place.account, 'x-ms-version': version, 'content-length': bytes.length },
          ...headers,
        },
      });
      // The whole of it: a service that takes a byte now and then is as good as none.
      const timer = setTimeout(() => request.destroy(new NoAnswer(requestMs)), requestMs);
      request.on('close', () => clearTimeout(timer));
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          if (text.length < mostOfAnAnswer) text += chunk.toString('latin1');
        });
        response.on('error', reject);
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, text)));
      });
      request.end(bytes);
    });

  return {
    create: (blob) =>
      put(blob, '', { 'x-ms-blob-type': 'AppendBlob', 'if-none-match': '*' }, Buffer.alloc(0)),
    append: (blob, bytes, position) =>
      put(blob, 'comp=appendblock&', { 'x-ms-blob-condition-appendpos': String(position) }, bytes),
    close: () => agent.destroy(),
  };
}

/** What was said comes from outside, and is shown: words alone. */
function answerOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  text: string,
): Answer {
  const said = headers['x-ms-error-code'];
  const code = typeof said === 'string' && /^[A-Za-z0-9]{1,64}$/.test(said) ? said : null;
  const refusal = /^The gate refused this request: ([a-z]{1,20})\./.exec(text)?.[1] ?? null;
  return { status, code, refusal };
}

export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(ms: number) {
    super(`no whole answer within ${Math.round(ms / 1000)} s`);
  }
}
