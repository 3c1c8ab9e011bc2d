/**
 * Runs in a machine's network: `blob.ts FILE`, a client of Azure's blob service. FILE names where to dial, whom to trust, the
 * account with its key, and requests; printed is what came of each. The key is in a file: arguments are public.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

export interface Requests {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly authority: string;
  /** Null: they are not signed. */
  readonly account: string | null;
  readonly key?: string;
  readonly ask: readonly Ask[];
}

export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const file = process.argv[2];
if (file !== undefined) {
  const requests = JSON.parse(readFileSync(file, 'utf8')) as Requests;
  const said: string[] = [];
  for (const ask of requests.ask) said.push(await send(requests, ask));
  process.stdout.write(JSON.stringify(said));
}

function send(to: Requests, ask: Ask): Promise<string> {
  const body = ask.body ?? '';
  const headers: Record<string, string> = {
    ...{ 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-12-02', ...ask.headers },
    'content-length': String(Buffer.byteLength(body)),
    host: to.name,
  };
  if (to.account !== null)
    headers['authorization'] = `SharedKey ${to.account}:${signature(to, ask, headers)}`;
  return new Promise((resolve) => {
    const asking = request(
      {
        ...{ host: to.host, port: to.port, servername: to.name, ca: to.authority, agent: false, headers },
        ...{ method: ask.method, path: ask.path, timeout: 3_000 },
      },
      (response) => {
        let heard = '';
        response.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        response.on('end', () => resolve(`${response.statusCode} ${heard}`.trim()));
      },
    );
    asking.on('timeout', () => asking.destroy(Object.assign(new Error('silent'), { code: 'silent' })));
    asking.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asking.end(body);
  });
}

/** As Azure describes "Authorize with Shared Key". */
function signature({ account, key }: Requests, ask: Ask, headers: Readonly<Record<string, string>>): string {
  const url = new URL(ask.path, 'https://x');
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]}`);
  const length = headers['content-length'] === '0' ? '' : headers['content-length']!;
  const query = [...url.searchParams].sort().map(([name, value]) => `\n${name}:${value}`);
  const text = [
    ...[ask.method, '', '', length, '', headers['content-type'] ?? '', '', '', '', '', '', ''],
    ...own,
    `/${account}${url.pathname}${query.join('')}`,
  ].join('\n');
  return createHmac('sha256', Buffer.from(key!, 'base64')).update(text).digest('base64');
}
