import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../lib/log.ts';
import {
  exchangePath,
  longestWaitMs,
  streamPath,
  type Downward,
  type Revised,
  type Upward,
} from './revision.ts';

/** The side that holds the intent. A peer is whoever `peerOf` says: a certificate's name, a socket's one user. */
export interface Superior<I, R> {
  /** The document for a peer as of now; undefined: no such peer, it is refused. */
  intentFor(peer: string): Revised<I> | undefined;
  /** Takes a report, already checked. `applied` is the revision it speaks of. */
  onReport(peer: string, report: R, applied: string | null): void;
  onStream?(peer: string, name: string, body: Readable): Promise<void>;
}

export interface ExchangeServerOptions<I, R> {
  readonly superior: Superior<I, R>;
  readonly peerOf: (request: IncomingMessage) => string | undefined;
  /** Checks what came up from a level of less trust; throws an error whose message names the flaw. */
  readonly checkReport: (value: unknown) => R;
  readonly log: Log;
  /** Bytes of one report; 4 MiB when left out. */
  readonly bodyLimit?: number;
}

export interface ExchangeServer {
  readonly listener: RequestListener;
  /** The peer's intent may have changed: whoever waits is answered now. Without a peer: all. */
  wake(peer?: string): void;
}

export function createExchangeServer<I, R>(options: ExchangeServerOptions<I, R>): ExchangeServer {
  const { superior, log } = options;
  const waiting = new Map<string, Set<() => void>>();

  async function exchange(peer: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upward = JSON.parse(await readBody(request, options.bodyLimit ?? 4 << 20)) as Upward<unknown>;
    superior.onReport(peer, options.checkReport(upward.report), upward.applied);
    let intent = superior.intentFor(peer);
    const until = performance.now() + Math.min(upward.waitMs, longestWaitMs);
    for (;;) {
      const left = until - performance.now();
      // Whatever a peer sent instead of a number leaves no time.
      if (intent?.revision !== upward.seen || !(left > 0) || response.destroyed) break;
      await news(peer, left, response);
      intent = superior.intentFor(peer);
    }
    if (!intent) return refuse(response, 404, 'UnknownPeer', `Nothing is intended for '${peer}'.`);
    const downward: Downward<I> =
      intent.revision === upward.seen
        ? { revision: intent.revision }
        : { revision: intent.revision, document: intent.document };
    answer(response, downward);
  }

  /** Resolves when the peer's intent may have changed, the time is up, or the peer has hung up. */
  function news(peer: string, ms: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const set = waiting.get(peer) ?? new Set();
      waiting.set(peer, set);
      const done = (): void => {
        clearTimeout(timer);
        set.delete(done);
        if (set.size === 0 && waiting.get(peer) === set) waiting.delete(peer);
        response.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      set.add(done);
      response.on('close', done);
    });
  }

  const listener: RequestListener = (request, response) => {
    const peer = options.peerOf(request);
    const work = async (): Promise<void> => {
      if (peer === undefined) return refuse(response, 403, 'UnknownPeer', 'This peer is not known here.');
      if (request.method === 'POST' && request.url === exchangePath) return exchange(peer, request, response);
      if (request.method === 'POST' && request.url?.startsWith(streamPath) && superior.onStream) {
        await superior.onStream(peer, decodeURIComponent(request.url.slice(streamPath.length)), request);
        return answer(response, {});
      }
      refuse(response, 404, 'NotFound', 'Only the exchange is spoken here.');
    };
    work().catch((error: unknown) => {
      log.warn('exchange failed', { peer, error });
      if (response.headersSent) response.destroy();
      else refuse(response, 400, 'BadReport', error instanceof Error ? error.message : String(error));
    });
  };

  return {
    listener,
    wake(peer) {
      const sets = peer === undefined ? [...waiting.values()] : [waiting.get(peer)];
      for (const set of sets) for (const done of [...(set ?? [])]) done();
    },
  };
}

/** The common name of a verified client certificate: who speaks, where the transport is mutual TLS. */
export function peerByCertificate(request: IncomingMessage): string | undefined {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : undefined;
}

export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > limit) throw new Error(`The body is larger than ${limit} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

export function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { code, message } }));
}
