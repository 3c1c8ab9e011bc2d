/** Asks the operator's Prometheus, on loopback. */
import { request } from 'node:http';

const withinMs = 5_000;
const mostBytes = 32 << 20;

export interface Heard {
  readonly status: number;
  readonly text: string;
}

export function askCollector(port: number, method: 'GET' | 'POST', path: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(withinMs);
    const asked = request({ host: '127.0.0.1', port, method, path, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) response.destroy(new Error('Prometheus says too much.'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** How the last question to each node went, by its name. `error` is empty where it went well, or none was put yet. */
export function parseTargets(text: string): ReadonlyMap<string, string> {
  const { data } = JSON.parse(text) as {
    readonly data: {
      readonly activeTargets: readonly { readonly scrapePool: string; readonly lastError: string }[];
    };
  };
  return new Map(data.activeTargets.map(({ scrapePool, lastError }) => [scrapePool, lastError]));
}
