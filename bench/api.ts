/**
 * Control's API with 1,000 clusters of three data centres stored: GET, a page of a list, PUT, and what control takes of memory;
 * against fastify and one SQLite table with the same answers ready in it, over TLS, one being asked while the other rests.
 * Nothing reports from below: the reconcilers pass over all of it every second all the same.
 */
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, until } from '../src/lib/clock.ts';
import { issue, createAuthority } from '../src/lib/x509.ts';
import { controlEnvironment, controlFlags } from '../src/server/launch.ts';
import { seedControl, type Seed } from './api-seed.ts';
import { loadHttp, type HttpLoad, type HttpRequest, type HttpTarget } from './http-load.ts';
import { interleaveOf, percentile, report, reportAbsolute } from './rounds.ts';

const clusters = Number(process.env['CLUSTERS'] ?? 1000);
const rounds = Number(process.env['ROUNDS'] ?? 5);
const seconds = Number(process.env['SECONDS'] ?? 4);
const connections = Number(process.env['CONNECTIONS'] ?? 8);
const startSeconds = 40;
const version = 'api-version=2026-03-15';

interface Server extends HttpTarget {
  readonly child: ChildProcess;
  readonly pid: number;
}

interface Measured extends HttpLoad {
  /** Of the server's own CPU time. */
  readonly perCpuSecond: number;
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-api-'));
const project = fileURLToPath(new URL('../', import.meta.url));
execFileSync(join(project, 'node_modules/.bin/tsc'), ['-p', join(project, 'tsconfig.build.json')], {
  cwd: project,
});
mkdirSync(join(folder, 'control'));
// One client asks more than any is meant to: what is measured is the answer, and not the refusal.
const rate = { burst: 1e9, perSecond: 1e6 };
writeFileSync(
  join(folder, 'control/config.json'),
  JSON.stringify({ rates: { reads: rate, writes: rate, deletes: rate } }),
);
const seed = await seedControl(join(folder, 'control'), clusters, rounds);
const ours = await startControl();
const bare = await startBare(seed);
try {
  const tokens: string[] = [];
  for (const principal of seed.principals) tokens.push(await signIn(principal));
  await atRest();
  await measure('GET of a resource', connections, (round) => gets(tokens[round]!));
  await measure('a page of 100 clusters', 1, (round) => pages(tokens[round]!));
  await measure('PUT of a cluster', connections, (round) => puts(round, tokens[round]!));
  reportAbsolute({
    name: `memory of control with ${clusters} clusters`,
    unit: 'MB RSS',
    goal: '≤ 400',
    values: [rss(ours.pid)],
    parts: { bare: rss(bare.pid) },
  });
} finally {
  for (const { child } of [ours, bare]) child.kill('SIGTERM');
  await until(
    'both to end',
    () =>
      [ours, bare].every(({ child }) => child.exitCode !== null || child.signalCode !== null) || undefined,
    {
      timeoutMs: 20_000,
    },
  );
  rmSync(folder, { recursive: true, force: true });
}

/**
 * A control that has just started writes down of each cluster that its operator is silent, once after 15 s and once after 20 s
 * more. With operators, it would not.
 */
async function atRest(): Promise<void> {
  await systemClock.sleep(startSeconds * 1000);
  const written = (): number => statSync(join(folder, 'control/sallyport.db-wal')).mtimeMs;
  await until('control to have written it all', () => Date.now() - written() > 4_000 || undefined, {
    timeoutMs: 180_000,
  });
}

async function measure(
  name: string,
  inFlight: number,
  requests: (round: number) => () => HttpRequest | undefined,
): Promise<void> {
  const run = async (server: Server, round: number): Promise<Measured> => {
    const before = cpuSeconds(server.pid);
    const load = await loadHttp(server, { connections: inFlight, seconds, next: requests(round) });
    return { ...load, perCpuSecond: load.latencies.length / (cpuSeconds(server.pid) - before) };
  };
  const pairs = await interleaveOf(
    rounds,
    (round) => run(ours, round),
    (round) => run(bare, round),
    ({ perSecond, latencies }) =>
      `${perSecond.toFixed(0)}/s, p99 ${percentile(latencies, 0.99).toFixed(1)} ms`,
  );
  const figure = (what: string, unit: string, goal: string, of: (one: Measured) => number): void =>
    report({
      name: `${name}: ${what}`,
      unit,
      goal,
      pairs: pairs.map((pair) => ({ ours: of(pair.ours), bare: of(pair.bare) })),
    });
  const isGet = name.startsWith('GET');
  figure(
    `${inFlight} under way`,
    'requests/s',
    isGet ? '≥ 0.5 of the bare one' : 'stated',
    (one) => one.perSecond,
  );
  figure(
    'of the CPU it used',
    'requests/s of CPU',
    isGet ? '≥ 0.5 of the bare one' : 'stated',
    (one) => one.perCpuSecond,
  );
  figure('p99', 'ms', name.startsWith('a page') ? '≤ 50' : 'stated', ({ latencies }) =>
    percentile(latencies, 0.99),
  );
}

/** Clusters and data centres in turn, as they come. */
function gets(token: string): () => HttpRequest {
  const ids = [...seed.shown.keys()];
  let at = 0;
  return () => ({ method: 'GET', path: `${ids[(at += 7) % ids.length]}?${version}`, token });
}

function pages(token: string): () => HttpRequest {
  const path = `${seed.group.toLowerCase()}/providers/microsoft.documentdb/cassandraclusters?${version}`;
  return () => ({ method: 'GET', path, token });
}

/** Each cluster is changed once: what is being changed can't be changed again before it is so. */
function puts(round: number, token: string): () => HttpRequest | undefined {
  const share = Math.floor(clusters / rounds);
  const mine = seed.clusters.slice(round * share, (round + 1) * share);
  return () => {
    const id = mine.pop();
    if (id === undefined) return undefined;
    const { location, properties } = seed.shown.get(id.toLowerCase())!;
    const body = JSON.stringify({
      location,
      properties: { ...(properties as object), repairEnabled: false },
    });
    return { method: 'PUT', path: `${id}?${version}`, token, body };
  };
}

async function startControl(): Promise<Server> {
  const home = join(folder, 'control');
  const child = spawn(process.execPath, [...controlFlags, join(project, 'dist/server/main.js'), 'control'], {
    env: { PATH: process.env['PATH'], SALLYPORT_CONTROL: home, ...controlEnvironment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await until(
    'control to listen',
    async () => {
      if (child.exitCode !== null) throw new Error(`control ended with ${child.exitCode}`);
      try {
        const found = (JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')) as { port: number }).port;
        await fetchText(
          found,
          readFileSync(join(home, 'authority/ca.pem'), 'utf8'),
          'GET',
          '/metadata/endpoints',
        );
        return found;
      } catch {
        return undefined;
      }
    },
    { timeoutMs: 60_000 },
  );
  return { child, pid: child.pid!, port, authority: readFileSync(join(home, 'authority/ca.pem'), 'utf8') };
}

async function startBare({ shown }: Seed): Promise<Server> {
  const home = join(folder, 'bare');
  mkdirSync(home);
  const authority = await createAuthority('bench', { days: 1, now: Date.now() });
  const leaf = await issue(authority, {
    commonName: 'localhost',
    dns: ['localhost'],
    use: ['server'],
    days: 1,
    now: Date.now(),
  });
  writeFileSync(join(home, 'key.pem'), leaf.privateKey, { mode: 0o600 });
  writeFileSync(join(home, 'cert.pem'), leaf.certificate);
  writeFileSync(join(home, 'bodies.json'), JSON.stringify([...shown]));
  const child = spawn(process.execPath, [fileURLToPath(new URL('api-bare.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(home);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the bare one to listen', () => said.includes('\n') || undefined, { timeoutMs: 60_000 });
  return { child, pid: child.pid!, port: Number(said), authority: authority.certificate };
}

async function signIn({ clientId, secret }: Seed['principals'][number]): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
    scope: `https://localhost:${ours.port}/.default`,
  });
  const text = await fetchText(ours.port, ours.authority, 'POST', '/adfs/oauth2/token', form.toString());
  return (JSON.parse(text) as { access_token: string }).access_token;
}

function fetchText(port: number, ca: string, method: string, path: string, body?: string): Promise<string> {
  const headers = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const options = { host: 'localhost', port, method, path, headers, ca, agent: false as const };
    const request = https.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function rss(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** utime and stime, in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  return (fields[11]! + fields[12]!) / 100;
}
