import { Agent, request } from 'node:http';
import { ports } from '../../network/ports.ts';

/** Cassandra's truth, over Jolokia on loopback: one JSON request for many attributes, no JVM start per question. */
export interface Jolokia {
  /** One value per question, undefined where it has none yet; throws when nothing answers. */
  read(questions: readonly Question[]): Promise<readonly unknown[]>;
  /** Waits 30 s for an answer where nothing else is said. Cassandra goes on with it, whoever waits. */
  exec(mbean: string, operation: string, args?: readonly unknown[], timeoutMs?: number): Promise<unknown>;
}

/** An attribute, or an operation that only tells. */
export type Question =
  | { readonly mbean: string; readonly attribute: string }
  | { readonly mbean: string; readonly operation: string; readonly arguments: readonly unknown[] };

interface Answer {
  readonly status: number;
  readonly value?: unknown;
  readonly error?: string;
}

export function createJolokia(port: number = ports.jolokia): Jolokia {
  const agent = new Agent({ keepAlive: true, maxSockets: 3 });

  function post<T>(body: unknown, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port, method: 'POST', path: '/jolokia/', agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString()) as T);
            } catch (error) {
              reject(error as Error);
            }
          });
        },
      );
      const timer = setTimeout(
        () => asked.destroy(new Error(`Jolokia did not answer within ${timeoutMs} ms.`)),
        timeoutMs,
      );
      asked.on('close', () => clearTimeout(timer));
      asked.on('error', reject);
      asked.end(JSON.stringify(body));
    });
  }

  return {
    async read(questions) {
      const answers = await post<Answer[]>(
        questions.map((question) => ({ type: 'attribute' in question ? 'read' : 'exec', ...question })),
        2_000,
      );
      return answers.map((answer) => (answer.status === 200 ? answer.value : undefined));
    },
    async exec(mbean, operation, args = [], timeoutMs = 30_000) {
      const answer = await post<Answer>({ type: 'exec', mbean, operation, arguments: args }, timeoutMs);
      if (answer.status !== 200) throw new Error(`${operation} failed: ${answer.error ?? 'no reason given'}`);
      return answer.value;
    },
  };
}
