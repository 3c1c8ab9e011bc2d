/** Asks one HTTPS server over a fixed number of connections, each with one request under way, as lightly as can be. */
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';

export interface HttpTarget {
  readonly port: number;
  /** PEM. */
  readonly authority: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly token: string;
  readonly body?: string;
}

export interface HttpLoad {
  readonly perSecond: number;
  /** Milliseconds of each request, in no order. */
  readonly latencies: readonly number[];
  /** Of the last answer. */
  readonly body: string;
}

/** Runs for `seconds`, or until `next` has nothing more. Any answer but 200 and 201 ends it with an error. */
export async function loadHttp(
  target: HttpTarget,
  options: {
    readonly connections: number;
    readonly seconds: number;
    readonly next: () => HttpRequest | undefined;
  },
): Promise<HttpLoad> {
  const latencies: number[] = [];
  let body = '';
  const began = performance.now();
  const until = began + options.seconds * 1000;
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const socket = connect({
        host: '127.0.0.1',
        port: target.port,
        ca: target.authority,
        servername: 'localhost',
      });
      await once(socket, 'secureConnect');
      socket.setNoDelay(true);
      try {
        while (performance.now() < until) {
          const request = options.next();
          if (!request) break;
          const sent = performance.now();
          body = await ask(socket, request);
          latencies.push(performance.now() - sent);
        }
      } finally {
        socket.destroy();
      }
    }),
  );
  return { perSecond: latencies.length / ((performance.now() - began) / 1000), latencies, body };
}

function ask(socket: TLSSocket, { method, path, token, body }: HttpRequest): Promise<string> {
  const head = [`${method} ${path} HTTP/1.1`, 'host: localhost', `authorization: Bearer ${token}`];
  if (body !== undefined)
    head.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`);
  socket.write(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let had = 0;
    let wanted: number | undefined;
    const end = (error: Error | undefined, text = ''): void => {
      socket.off('data', take);
      socket.off('error', end);
      socket.off('close', closed);
      if (error) reject(error);
      else resolve(text);
    };
    const closed = (): void => end(new Error('the connection was closed'));
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      had += chunk.length;
      if (wanted === undefined) {
        const start = Buffer.concat(chunks);
        const split = start.indexOf('\r\n\r\n');
        if (split === -1) return;
        const headers = start.toString('latin1', 0, split);
        wanted = split + 4 + Number(/content-length: *(\d+)/i.exec(headers)?.[1] ?? 0);
        if (!/^HTTP\/1.1 20[01] /.test(headers))
          return end(new Error(`${method} ${path}: ${start.toString().slice(0, 900)}`));
      }
      if (had < wanted) return;
      const text = Buffer.concat(chunks).toString();
      end(undefined, text.slice(text.indexOf('\r\n\r\n') + 4));
    };
    socket.on('data', take);
    socket.once('error', end);
    socket.once('close', closed);
  });
}
