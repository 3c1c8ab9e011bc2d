import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { exchangePath, streamPath, type Downward, type Revised, type Upward } from './revision.ts';

/** How the superior is reached: a unix socket, or mutual TLS. */
export type Dial =
  | { readonly socketPath: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly tls: {
        readonly key: string;
        readonly cert: string;
        readonly ca: string;
        /** The name that the superior's certificate must bear. */
        readonly servername: string;
      };
    };

export interface FollowOptions<I, R> {
  readonly dial: Dial;
  /** The report as of now, and the revision it speaks of. */
  readonly report: () => { readonly applied: string | null; readonly report: R };
  readonly onIntent: (intent: Revised<I>) => void;
  /** Called whenever contact is made or lost. */
  readonly onContact?: (contact: boolean, error?: Error) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The heartbeat, in milliseconds: how long one poll lasts without news. 2 500 when left out. */
  readonly beatMs?: number;
  /** The revision already held on disk, so that an unchanged document isn't sent again. */
  readonly seen?: string | null;
}

export interface Following {
  /** The report has changed: send it now rather than with the next beat. */
  poke(): void;
  /** Sends bulk up: command output, logs, evidence. */
  stream(name: string, body: Readable | string): Promise<void>;
}

/** Follows a superior until `signal` aborts. A superior that is gone is dialled again, and meanwhile nothing changes. */
export function follow<I, R>(options: FollowOptions<I, R>): Following {
  const { clock, log, signal } = options;
  const beatMs = options.beatMs ?? 2_500;
  const requester = dialler(options.dial);
  let seen = options.seen ?? null;
  let contact: boolean | undefined;
  let poking = false;

  const noteContact = (now: boolean, error?: Error): void => {
    if (contact === now) return;
    contact = now;
    if (now) log.info('contact with the superior');
    else log.warn('no contact with the superior', { error });
    options.onContact?.(now, error);
  };

  const beat = async (waitMs: number): Promise<void> => {
    const upward: Upward<R> = { seen, ...options.report(), waitMs };
    const answer = await requester.json<Downward<I>>('POST', exchangePath, upward, waitMs + 5_000, signal);
    noteContact(true);
    if (answer.document !== undefined && answer.revision !== seen) {
      seen = answer.revision;
      options.onIntent({ revision: answer.revision, document: answer.document });
    }
  };

  void (async () => {
    for (let failures = 0; !signal.aborted;) {
      try {
        await beat(contact ? beatMs : 0);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        noteContact(false, error as Error);
        await clock.sleep(Math.min(250 * 2 ** failures++, 2_000), signal);
      }
    }
    requester.close();
  })();

  return {
    poke() {
      if (poking || !contact) return;
      poking = true;
      queueMicrotask(() => {
        poking = false;
        beat(0).catch((error: unknown) => log.debug('poke failed', { error }));
      });
    },
    stream: (name, body) => requester.stream(`${streamPath}${encodeURIComponent(name)}`, body, signal),
  };
}

/** One request and its JSON answer; used by enrolment too, which happens before there is anything to follow. */
export function dialler(
  dial: Dial | { readonly host: string; readonly port: number; readonly tls: https.AgentOptions },
) {
  const local = 'socketPath' in dial;
  const agent = local
    ? new http.Agent({ keepAlive: true, maxSockets: 4 })
    : new https.Agent({ keepAlive: true, maxSockets: 4, minVersion: 'TLSv1.3', ...dial.tls });

  const open = (method: string, path: string, signal: AbortSignal | undefined, timeoutMs: number) => {
    const base = { method, path, agent, timeout: timeoutMs, ...(signal && { signal }) };
    const headers = { 'content-type': 'application/json' };
    return local
      ? http.request({ ...base, headers, socketPath: dial.socketPath })
      : https.request({ ...base, headers, host: dial.host, port: dial.port });
  };

  return {
    json<T>(
      method: string,
      path: string,
      body: unknown,
      timeoutMs: number,
      signal?: AbortSignal,
    ): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const request = open(method, path, signal, timeoutMs);
        // The socket's idle timeout restarts with each byte; this bounds the whole request.
        const timer = setTimeout(
          () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
          timeoutMs,
        );
        request.on('close', () => clearTimeout(timer));
        request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
        request.on('error', reject);
        request.on('response', (response) => {
          readAll(response).then((text) => {
            if (response.statusCode === 200) resolve(JSON.parse(text) as T);
            else reject(new ExchangeRefused(response.statusCode ?? 0, text));
          }, reject);
        });
        request.end(JSON.stringify(body));
      });
    },
    stream(path: string, body: Readable | string, signal?: AbortSignal): Promise<void> {
      return new Promise<void>((resolve, reject) => {
        const request = open('POST', path, signal, 60_000);
        request.on('error', reject);
        request.on('response', (response) => {
          readAll(response).then((text) => {
            if (response.statusCode === 200) resolve();
            else reject(new ExchangeRefused(response.statusCode ?? 0, text));
          }, reject);
        });
        if (typeof body === 'string') request.end(body);
        else body.pipe(request);
      });
    },
    close: () => agent.destroy(),
  };
}

/** The superior answered, and it was a no. `code` and `message` are its own. */
export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  readonly status: number;
  readonly code: string;
  constructor(status: number, body: string) {
    let code = `Http${status}`;
    let message = body.slice(0, 500);
    try {
      const fault = (JSON.parse(body) as { error: { code: string; message: string } }).error;
      ({ code, message } = fault);
    } catch {
      // not our superior's own words: keep what it said
    }
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
