import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { startControl, type Control } from '../../src/server/control.ts';
import { toyPlane, type ToyWorld } from './toy-plane.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- what comes over the wire is what the test is about
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly raw?: string;
  readonly as?: 'provider' | 'customer' | 'nobody';
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly version?: string | null;
}

export interface ToyControl {
  readonly folder: string;
  readonly world: ToyWorld;
  readonly parties: ReturnType<typeof makeParties>;
  readonly log: readonly string[];
  control: Control;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  token(as: 'provider' | 'customer'): Promise<string>;
  signIn(form: Readonly<Record<string, string>>, path?: string): Promise<Answer>;
  restart(): Promise<void>;
}

const makeParties = () => {
  const party = (displayName: string) => ({
    subscriptionId: randomUUID(),
    clientId: randomUUID(),
    secret: `s-${randomUUID()}`,
    displayName,
  });
  return { tenantId: randomUUID(), provider: party('provider'), customer: party('customer') };
};

/** A whole control on a real socket and a real database, with toy kinds. It is for tests only. */
export async function toyControl(
  t: TestContext,
  clock: Clock = systemClock,
  given?: string,
): Promise<ToyControl> {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'sallyport-control-'));
  const parties = makeParties();
  writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(parties), { mode: 0o600 });
  const { plane, world } = toyPlane();
  const lines: string[] = [];
  const stop = new AbortController();
  const start = (): Promise<Control> =>
    startControl(
      {
        clock,
        log: createLog({}, { level: 'debug', write: (line) => void lines.push(line) }),
        signal: stop.signal,
        env: { SALLYPORT_CONTROL: folder },
      },
      plane,
    );
  const tokens = new Map<string, string>();

  const request = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const ca = readFileSync(join(folder, 'authority', 'ca.pem'), 'utf8');
      const outgoing = https.request(
        { host: '127.0.0.1', port: self.control.port, method, path, headers, ca, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers as Answer['headers'],
              body: text === '' ? undefined : JSON.parse(text),
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const self: ToyControl = {
    folder,
    world,
    parties,
    log: lines,
    control: await start(),
    signIn: (form, path = '/adfs/oauth2/token') =>
      request(
        'POST',
        path,
        { 'content-type': 'application/x-www-form-urlencoded' },
        new URLSearchParams(form).toString(),
      ),
    async token(as) {
      const had = tokens.get(as);
      if (had !== undefined) return had;
      const { clientId, secret } = parties[as];
      const scope = `https://127.0.0.1:${self.control.port}//.default`;
      const answer = await self.signIn({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: secret,
        scope,
      });
      const token = String(answer.body.access_token);
      tokens.set(as, token);
      return token;
    },
    async call(method, path, options = {}) {
      const as = options.as ?? 'customer';
      const bearer = options.token ?? (as === 'nobody' ? undefined : await self.token(as));
      const version =
        options.version === null
          ? ''
          : `${path.includes('?') ? '&' : '?'}api-version=${options.version ?? '2026-03-15'}`;
      const text = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
      const headers = {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(text)),
        }),
        ...options.headers,
      };
      return request(method, `${path}${version}`, headers, text);
    },
    async restart() {
      await self.control.close();
      self.control = await start();
    },
  };
  t.after(async () => {
    stop.abort();
    await self.control.close();
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
  });
  return self;
}
