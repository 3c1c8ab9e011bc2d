/**
 * Runs in a machine's network: `blob-load.ts FILE` puts blobs for some seconds, over a few connections, and prints megabytes a
 * second. FILE names where to dial and by which name, whom to trust, and the signature, which must not be an argument.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export interface BlobLoad {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly authority: string;
  readonly container: string;
  /** A shared access signature. */
  readonly query: string;
  readonly connections: number;
  readonly blobMegabytes: number;
  readonly seconds: number;
}

const load = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as BlobLoad;
const { connections, seconds } = load;
const agent = new Agent({
  ...{ keepAlive: true, maxSockets: connections, minVersion: 'TLSv1.3' },
  ...{ ca: load.authority, servername: load.name },
});
const body = randomBytes(load.blobMegabytes * 1_000_000);
const end = performance.now() + seconds * 1000;

const put = (blob: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ agent, host: load.host, port: load.port, method: 'PUT', timeout: 20_000 },
        path: `/${load.container}/${blob}?${load.query}`,
        headers: { host: load.name, 'x-ms-blob-type': 'BlockBlob', 'content-length': body.length },
      },
      (response) => {
        let heard = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
        response.on('end', () =>
          response.statusCode === 201
            ? resolve()
            : reject(new Error(`${response.statusCode} ${heard.slice(0, 300)}`)),
        );
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer in 20 s')));
    asked.on('error', reject).end(body);
  });

const began = performance.now();
let megabytes = 0;
await Promise.all(
  Array.from({ length: connections }, async (_, connection) => {
    while (performance.now() < end) {
      await put(`bench-${connection}`);
      megabytes += load.blobMegabytes;
    }
  }),
);
process.stdout.write(`${(megabytes * 1000) / (performance.now() - began)}\n`);
agent.destroy();
