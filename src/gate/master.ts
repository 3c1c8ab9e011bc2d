/** What can be asked of the proxy through its master's socket: of its newest worker, and of older ones that still carry streams. */
import { connect } from 'node:net';

export interface Workers {
  /** The worker that takes new connections; undefined: there is none. */
  readonly current: number | undefined;
  readonly old: readonly number[];
}

export interface Stream {
  readonly id: string;
  readonly backend: string;
}

export interface Stat {
  /** Bytes towards and from the accounts, by backend. */
  readonly bytes: Readonly<Record<string, { readonly sent: number; readonly received: number }>>;
  /** What was said of the one server of a backend by the last probe. */
  readonly probes: Readonly<Record<string, { readonly up: boolean; readonly said: string }>>;
}

const answerWithinMs = 2_000;
/** Longer command lines are cut off. */
const longestLine = 8_000;

/** It is there and says nothing: what it lets through isn't known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** One command and its whole answer. Rejects where nobody listens. */
export function ask(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let text = '';
    connection.setEncoding('utf8');
    connection.setTimeout(answerWithinMs, () =>
      connection.destroy(new NoAnswer(`The proxy did not answer within ${answerWithinMs} ms.`)),
    );
    connection.on('data', (chunk: string) => (text += chunk));
    connection.on('error', reject);
    connection.on('close', () => resolve(text));
    connection.end(`${command}\n`);
  });
}

export async function workersOf(socket: string): Promise<Workers> {
  return parseWorkers(await ask(socket, 'show proc'));
}

export function parseWorkers(text: string): Workers {
  const pids = (section: string): readonly number[] =>
    [...section.matchAll(/^(\d+)\s+worker\s/gm)].map(([, pid]) => Number(pid));
  const [newest = '', old = ''] = text.split('# old workers');
  return { current: pids(newest)[0], old: pids(old) };
}

/** The revision of the configuration that a worker runs with. */
export async function revisionOf(socket: string, worker: number): Promise<string | undefined> {
  return /^node: (\S+)$/m.exec(await ask(socket, `@!${worker} show info`))?.[1];
}

/** The lines of an ACL file as a worker holds them; nothing where it has no such file. */
export async function listOf(socket: string, worker: number, file: string): Promise<readonly string[]> {
  const text = await ask(socket, `@!${worker} show acl ${file}`);
  return [...text.matchAll(/^0x[0-9a-f]+ (\S+)$/gm)].map(([, line]) => line!);
}

export async function removeFromList(
  socket: string,
  worker: number,
  file: string,
  items: readonly string[],
): Promise<void> {
  await each(
    socket,
    worker,
    items.map((item) => `del acl ${file} ${item}`),
  );
}

export async function streamsOf(socket: string, worker: number): Promise<readonly Stream[]> {
  return parseStreams(await ask(socket, `@!${worker} show sess`));
}

export const parseStreams = (text: string): readonly Stream[] =>
  [...text.matchAll(/^(0x[0-9a-f]+): .*? be=(\S+) /gm)].map(([, id, backend]) => ({
    id: id!,
    backend: backend!,
  }));

export async function shutStreams(socket: string, worker: number, ids: readonly string[]): Promise<void> {
  await each(
    socket,
    worker,
    ids.map((id) => `shutdown session ${id}`),
  );
}

async function each(socket: string, worker: number, commands: readonly string[]): Promise<void> {
  for (let from = 0; from < commands.length;) {
    let line = `@!${worker} ${commands[from++]}`;
    while (from < commands.length && line.length + commands[from]!.length + 1 < longestLine)
      line += `;${commands[from++]}`;
    await ask(socket, line);
  }
}

export async function statOf(socket: string, worker: number): Promise<Stat> {
  return parseStat(await ask(socket, `@!${worker} show stat`));
}

export function parseStat(text: string): Stat {
  const [head = '', ...rows] = text.split('\n').filter((line) => line.includes(','));
  const names = head.replace(/^# /, '').split(',');
  const at = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? '';
  const cells = rows.map((row) => row.split(','));
  return {
    bytes: Object.fromEntries(
      cells
        .filter((row) => at(row, 'svname') === 'BACKEND')
        .map((row) => [
          at(row, 'pxname'),
          { sent: Number(at(row, 'bin')), received: Number(at(row, 'bout')) },
        ]),
    ),
    probes: Object.fromEntries(
      cells
        .filter((row) => at(row, 'svname') === 's' && !['', 'INI'].includes(at(row, 'check_status')))
        .map((row) => [
          at(row, 'pxname'),
          {
            up: at(row, 'status').startsWith('UP'),
            said: [at(row, 'check_desc'), at(row, 'last_chk')].filter(Boolean).join(': ').replaceAll('"', ''),
          },
        ]),
    ),
  };
}
