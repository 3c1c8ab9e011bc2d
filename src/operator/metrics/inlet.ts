/** Takes from the operator's Prometheus what it has collected, on loopback, and answers once it is on disk. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../../lib/log.ts';

export interface Inlet {
  /** Throws when the port can't be had; the next call tries again. */
  open(): Promise<void>;
  close(): void;
}

export function createInlet(options: {
  readonly port: number;
  /** Of a batch. */
  readonly mostBytes: number;
  /** Throws where it can't be kept: Prometheus then tries again. */
  readonly keep: (body: Buffer) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** A batch was more than `mostBytes`: Prometheus doesn't try it again. */
  readonly onTooMuch: () => void;
  readonly log: Log;
}): Inlet {
  const { port, mostBytes, keep, onFault, onTooMuch, log } = options;
  let server: Server | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (status: number): void => void response.writeHead(status).end();
    if (request.method !== 'POST' || request.headers['content-encoding'] !== 'snappy') return end(415);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) {
        onTooMuch();
        return end(413);
      }
      chunks.push(chunk);
    }
    try {
      await keep(Buffer.concat(chunks));
    } catch (error) {
      onFault(error);
      return end(503);
    }
    return end(204);
  }

  return {
    async open() {
      if (server) return;
      const opening = createServer((request, response) => {
        take(request, response).catch((error: unknown) =>
          log.warn('what was collected broke off', { error }),
        );
      });
      opening.maxConnections = 4;
      opening.listen(port, '127.0.0.1');
      await once(opening, 'listening');
      // A connection that can't be accepted, for want of file descriptors, is Prometheus's to try again.
      opening.on('error', (error) => log.error('what was collected can’t be accepted', { error }));
      server = opening;
    },
    close() {
      server?.closeAllConnections();
      server?.close();
      server = undefined;
    },
  };
}
