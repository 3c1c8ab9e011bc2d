/**
 * Requests to an account by way of the gate: an address is dialled, the account is named in SNI and Host, and the cluster's gate
 * authority is believed and nobody else. There is no resolver.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import * as https from 'node:https';
import { ownAnswer } from './gate-rules.ts';

export interface GateWay {
  /** The gate's, or that of who leads there. */
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly authority: string;
  /** The account's host name. */
  readonly account: string;
}

export interface GateRequest {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The gate's word for why it refused; null: it wasn't the gate. */
  readonly refusal: string | null;
}

export interface Asking {
  /** Throws where there is no whole answer; {@link failureWords} says why. */
  ask(request: GateRequest): Promise<Reply>;
  close(): void;
}

const mostOfAnAnswer = 4_096;

/** One connection, which is kept until it is closed. `requestMs` is for a whole request, to its answer's last byte. */
export function askByGate(way: GateWay, requestMs: number, signal: AbortSignal): Asking {
  const agent = new https.Agent({
    ...{ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.3' as const },
    ...{ ca: way.authority, servername: way.account },
  });
  return {
    ask: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const request = https.request({
          ...{ method, host: way.address, port: way.port, path, agent, signal },
          headers: { host: way.account, 'content-length': body.length, ...headers },
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
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              refusal: refusalOf(response.headers, text),
            }),
          );
        });
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** The header alone says whose answer it is: the gate takes it from every service's, which may write the same words. */
const refusalOf = (headers: IncomingHttpHeaders, text: string): string | null =>
  headers[ownAnswer.toLowerCase()] === 'refused'
    ? (/^The gate refused this request: ([a-z]{1,20})\./.exec(text)?.[1] ?? null)
    : null;

class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(ms: number) {
    super(`no whole answer within ${Math.round(ms / 1000)} s`);
  }
}

/** As OpenSSL tells TLS's alert of that name; with another Node.js it stands in the code. */
const noSuchName = /UNRECOGNIZED_NAME|SSL alert number 112\b/;
const aboutTheCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO|HOSTNAME_MISMATCH/;

/** Why there was no answer, in words that a person can act on. Only a code is told: that comes from a list, and not from anybody's mouth. */
export function failureWords({ account }: Pick<GateWay, 'account'>, error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  const said = typeof code === 'string' ? code : error.name;
  if (error.name === 'NoAnswer') return `${account} is too slow: ${error.message}.`;
  if (noSuchName.test(`${said} ${error.message}`))
    return `The gate refuses it (handshake): no policy names ${account} for this cluster any more.`;
  if (aboutTheCertificate.test(said))
    return `Whoever answers for ${account} can't prove to be the cluster's gate (${said}).`;
  return `The gate can't be reached by the operator (${said}).`;
}
