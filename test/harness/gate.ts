/** A real gate on loopback: HAProxy, accounts that are TLS servers of our own, and clients that say exactly what they are told. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttps, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type TcpNetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { GateAccount, GateIntent, GateRule } from '../../src/exchange/intents/gate.ts';
import { revise } from '../../src/exchange/revision.ts';
import type { GateStatus } from '../../src/gate/gate.ts';
import { openGate } from '../../src/gate/open.ts';
import { gatePaths, type GatePaths } from '../../src/gate/paths.ts';
import { createProxy } from '../../src/gate/proxy.ts';
import { systemClock, until } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { createAuthority, issue, type Authority } from '../../src/lib/x509.ts';
import { drive, type Driven } from '../../src/reconcile/driver.ts';

export const program = 'haproxy';
const silent = createLog({}, { write: () => undefined });

export interface Account {
  readonly name: string;
  readonly server: Server;
  readonly port: number;
  readonly authority: Authority;
  /** Host, method and target of each request that arrived, and how many bytes of its body. */
  readonly seen: {
    host: string;
    method: string;
    url: string;
    bytes: number;
    headers: IncomingMessage['headers'];
  }[];
  said(rules?: readonly GateRule[]): GateAccount;
}

/** `bearing`: the name in its certificate, where it isn't its own. */
export async function startAccount(
  t: TestContext,
  name: string,
  options: {
    readonly bearing?: string;
    readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
  } = {},
): Promise<Account> {
  const authority = await createAuthority(`test ${name}`, { days: 2, now: Date.now() });
  const bearing = options.bearing ?? name;
  const leaf = await issue(authority, {
    ...{ commonName: bearing, dns: [bearing], use: ['server'], days: 2, now: Date.now() },
  });
  const seen: Account['seen'] = [];
  const server = createHttps({ key: leaf.privateKey, cert: leaf.certificate }, (request, response) => {
    const entry = {
      host: request.headers.host ?? '',
      method: request.method ?? '',
      url: request.url ?? '',
      bytes: 0,
      headers: request.headers,
    };
    seen.push(entry);
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => (entry.bytes += chunk.length));
    if (options.answer) return options.answer(request, response);
    request.on('end', () => response.end(`this is ${name}`));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    ...{ name, server, port, authority, seen },
    said: (rules = [{ methods: [], path: null }]) => ({
      name,
      enabled: true,
      upstream: { address: '127.0.0.1', port, authority: authority.certificate },
      rules: [...rules],
    }),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Gate {
  readonly paths: GatePaths;
  /** What shall be from now on; resolves when a pass has made it so. */
  intend(intent: GateIntent): Promise<GateStatus>;
  /** The next pass that says what is asked for. */
  told(what: string, check: (status: GateStatus) => boolean): Promise<GateStatus>;
  wake(): void;
  /** As a role that is killed: the proxy runs on, and another role takes over. */
  replaceRole(): Promise<void>;
  /** Role and proxy end; `up` starts them again on the same disk. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function startGate(t: TestContext): Promise<Gate> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-'));
  const paths = gatePaths(folder, join(folder, 'run'));
  let revised: ReturnType<typeof revise<GateIntent>> | undefined;
  let driven: Driven<GateStatus> | undefined;
  let latest: GateStatus | undefined;
  let passes = 0;
  let stop = new AbortController();
  const wake = (): void => driven?.wake('test');

  async function startRole(): Promise<void> {
    stop = new AbortController();
    const reconciler = await openGate({
      ...{ paths, program, listen: '127.0.0.1', wake, clock: systemClock, log: silent },
      intent: async () => revised,
    });
    driven = drive(reconciler, {
      ...{ clock: systemClock, log: silent, signal: stop.signal },
      onPass(status) {
        latest = status;
        passes++;
      },
    });
  }
  const endProxy = (): Promise<void> =>
    createProxy({ paths, program, clock: systemClock, log: silent, onExit: () => undefined }).end();
  await startRole();
  t.after(async () => {
    stop.abort();
    await driven?.stopped;
    await endProxy();
    await rm(folder, { recursive: true, force: true });
  });

  const told: Gate['told'] = (what, check) => {
    const from = passes;
    const look = (): GateStatus | undefined => {
      if (passes > from && latest && check(latest)) return latest;
      wake();
      return undefined;
    };
    return until(what, look, { timeoutMs: 15_000, everyMs: 10 });
  };
  return {
    paths,
    told,
    wake,
    async intend(intent) {
      revised = revise(intent);
      const { revision } = revised;
      wake();
      return told('the intent to be in force', ({ applied }) => applied === revision);
    },
    async replaceRole() {
      stop.abort();
      await driven?.stopped;
      await startRole();
    },
    async down() {
      stop.abort();
      await driven?.stopped;
      await endProxy();
    },
    up: startRole,
  };
}

export interface Speaker {
  readonly port: number;
  readonly ca: string;
}

type DialOptions = ConnectionOptions & Pick<TcpNetConnectOpts, 'localAddress'>;

/** Says a text over TLS, and returns all that comes back; an error of the connection comes back as its code. */
export async function say(
  to: Speaker,
  servername: string | undefined,
  text: string,
  options: DialOptions = {},
): Promise<string> {
  const socket = dial(to, servername, options);
  let heard = '';
  return new Promise((resolve) => {
    const end = (why = ''): void => {
      socket.destroy();
      resolve(heard === '' ? why : heard);
    };
    socket.on('secureConnect', () => socket.write(text));
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    socket.on('end', () => end('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.setTimeout(1_500, () => end('silent'));
  });
}

/** `servername` undefined: none is sent. The gate's certificate is checked against the cluster's authority by name. */
export function dial(to: Speaker, servername: string | undefined, options: DialOptions = {}): TLSSocket {
  return connect({
    ...{ host: '127.0.0.1', port: to.port, ca: to.ca, minVersion: 'TLSv1.3' },
    ...(servername === undefined ? {} : { servername }),
    ...options,
  });
}

export const request = (
  host: string,
  options: {
    readonly method?: string;
    readonly target?: string;
    readonly more?: readonly string[];
    readonly body?: string;
  } = {},
): string =>
  [
    `${options.method ?? 'GET'} ${options.target ?? '/'} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...(options.more ?? []),
    '',
    options.body ?? '',
  ].join('\r\n');

export const statusOf = (answer: string): string => /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? answer;
