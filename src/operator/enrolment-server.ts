/**
 * The enrolment port. One port speaks two things: in the clear nothing but the authority's certificate, which is public
 * and which a node believes only by its fingerprint; over TLS, one question.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { answer, readBody, refuse } from '../exchange/server.ts';
import type { Log } from '../lib/log.ts';
import type { Authority } from '../lib/x509.ts';
import type { Enrolment } from './enrolment.ts';
import type { Refusals } from './refusals.ts';

export interface EnrolmentServerOptions {
  readonly enrolment: Enrolment;
  readonly refusals: Refusals;
  /** PEM. */
  readonly authority: string;
  readonly identity: Authority;
  readonly log: Log;
}

export interface EnrolmentServer {
  readonly server: net.Server;
  renew(identity: Authority): void;
}

const tlsHandshake = 0x16;
const idleMs = 15_000;
const bodyLimit = 64 << 10;

export function createEnrolmentServer(options: EnrolmentServerOptions): EnrolmentServer {
  const { enrolment, refusals, authority } = options;
  const who = (source: string): string => {
    const member = enrolment.memberAt(source);
    return member ? `Node '${member.name}'` : source;
  };

  const plain = http.createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/authority') {
      response.writeHead(200, { 'content-type': 'application/x-pem-file' }).end(authority);
      return;
    }
    const source = request.socket.remoteAddress ?? 'unknown';
    refusals.record('TlsRequired', `${who(source)} asked in the clear for more than the authority.`);
    refuse(response, 400, 'TlsRequired', 'Only GET /authority is answered in the clear.');
  });

  const secure = https.createServer(
    { ...asContext(options.identity), minVersion: 'TLSv1.3' },
    (request, response) => {
      const source = request.socket.remoteAddress ?? 'unknown';
      const work = async (): Promise<void> => {
        if (request.method !== 'POST' || request.url !== '/enrol') {
          return refuse(response, 404, 'NotFound', 'Only POST /enrol is answered here.');
        }
        const said = await enrolment.enrol(source, parsed(await readBody(request, bodyLimit)));
        if ('body' in said) answer(response, said.body);
        else refuse(response, said.status, said.code, said.message);
      };
      work().catch((error: unknown) => {
        options.log.error('enrolment failed', { source, error });
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'InternalError', 'The operator failed. Ask again with the same keys.');
      });
    },
  );
  secure.on('tlsClientError', (error, socket) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // A peer that just hangs up, or is cut off, has refused nothing.
    if (!code.startsWith('ERR_SSL')) return;
    const source = socket.remoteAddress ?? 'unknown';
    refusals.record(
      'TlsFailed',
      `${who(source)} and the operator didn't agree in the TLS handshake (${code}).`,
    );
  });

  for (const server of [plain, secure]) {
    server.timeout = idleMs;
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  const server = net.createServer((socket) => {
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === tlsHandshake ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  server.maxConnections = 64;
  return {
    server,
    renew: (identity) => secure.setSecureContext({ ...asContext(identity), minVersion: 'TLSv1.3' }),
  };
}

const asContext = (identity: Authority): { readonly cert: string; readonly key: string } => ({
  cert: identity.certificate,
  key: identity.privateKey,
});

/** What isn't JSON is judged like any other body that isn't a request. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
