import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { createAuthority, issue } from '../lib/x509.ts';
import { follow } from './client.ts';
import { exchangePath, revise, type Revised } from './revision.ts';
import { createExchangeServer, peerByCertificate, type Superior } from './server.ts';

interface Want {
  readonly size: number;
}
interface Is {
  readonly size: number | null;
}
const log = createLog({}, { write: () => undefined });

function superiorOf(
  want: { current: Revised<Want> },
  heard: { report: Is; applied: string | null }[],
): Superior<Want, Is> {
  return {
    intentFor: (peer) => (peer === 'node-1' ? want.current : undefined),
    onReport: (_peer, report, applied) => void heard.push({ report, applied }),
  };
}
const checkReport = (value: unknown): Is => {
  if (typeof value !== 'object' || value === null || !('size' in value)) throw new Error('size is missing');
  return value as Is;
};

test('intent goes down at once when it changes, and the report speaks of the revision that was applied', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'exchange-'));
  t.after(() => rm(folder, { recursive: true }));
  const want = { current: revise<Want>({ size: 1 }) };
  const heard: { report: Is; applied: string | null }[] = [];
  const exchange = createExchangeServer({
    superior: superiorOf(want, heard),
    peerOf: () => 'node-1',
    checkReport,
    log,
  });
  const server = createServer(exchange.listener).listen(join(folder, 'sock'));
  t.after(() => server.close());
  const stop = new AbortController();
  t.after(() => stop.abort());

  let held: Revised<Want> | undefined;
  const following = follow<Want, Is>({
    dial: { socketPath: join(folder, 'sock') },
    report: () => ({ applied: held?.revision ?? null, report: { size: held?.document.size ?? null } }),
    onIntent: (intent) => {
      held = intent;
      following.poke();
    },
    clock: systemClock,
    log,
    signal: stop.signal,
    beatMs: 15_000, // so long that only a wake-up can explain what arrives in time
  });
  const reached = (size: number) =>
    until(`size ${size}`, () => (heard.at(-1)?.report.size === size ? true : undefined), {
      timeoutMs: 5_000,
      everyMs: 5,
    });
  await reached(1);
  want.current = revise<Want>({ size: 2 });
  exchange.wake('node-1');
  await reached(2);
  assert.equal(heard.at(-1)?.applied, want.current.revision);
});

test('a superior that comes back is followed again, and nothing that it said is forgotten meanwhile', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'exchange-'));
  t.after(() => rm(folder, { recursive: true }));
  const want = { current: revise<Want>({ size: 1 }) };
  const heard: { report: Is; applied: string | null }[] = [];
  const contacts: boolean[] = [];
  const listen = async () => {
    const exchange = createExchangeServer({
      superior: superiorOf(want, heard),
      peerOf: () => 'node-1',
      checkReport,
      log,
    });
    const server = createServer(exchange.listener).listen(join(folder, 'sock'));
    await once(server, 'listening');
    return server;
  };
  const stop = new AbortController();
  t.after(() => stop.abort());
  const first = await listen();
  const intents: Want[] = [];
  follow<Want, Is>({
    dial: { socketPath: join(folder, 'sock') },
    report: () => ({ applied: null, report: { size: 0 } }),
    onIntent: (intent) => void intents.push(intent.document),
    onContact: (contact) => void contacts.push(contact),
    clock: systemClock,
    log,
    signal: stop.signal,
    beatMs: 200,
  });
  await until('the first intent', () => intents[0], { timeoutMs: 5_000, everyMs: 5 });
  first.close();
  first.closeAllConnections();
  await until('the loss', () => (contacts.includes(false) ? true : undefined), {
    timeoutMs: 5_000,
    everyMs: 5,
  });
  const second = await listen();
  t.after(() => second.close());
  await until('contact again', () => (contacts.at(-1) === true ? true : undefined), {
    timeoutMs: 5_000,
    everyMs: 5,
  });
  assert.deepEqual(intents, [{ size: 1 }], 'an unchanged document is not sent twice');
});

test('over mutual TLS the peer is the certificate’s name; an unknown one and a flawed report are refused', async (t) => {
  const now = Date.now();
  const authority = await createAuthority('exchange', { days: 1, now });
  const own = await issue(authority, {
    commonName: 'operator',
    dns: ['operator'],
    use: ['server'],
    days: 1,
    now,
  });
  const heard: { report: Is; applied: string | null }[] = [];
  const exchange = createExchangeServer({
    superior: superiorOf({ current: revise<Want>({ size: 7 }) }, heard),
    peerOf: peerByCertificate,
    checkReport,
    log,
  });
  const server = createHttps(
    {
      key: own.privateKey,
      cert: own.certificate,
      ca: authority.certificate,
      requestCert: true,
      minVersion: 'TLSv1.3',
    },
    exchange.listener,
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const connect = async (commonName: string, report: unknown) => {
    const client = await issue(authority, { commonName, use: ['client'], days: 1, now });
    const seen: { intent?: Want; error?: Error } = {};
    follow<Want, unknown>({
      dial: {
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        tls: {
          key: client.privateKey,
          cert: client.certificate,
          ca: authority.certificate,
          servername: 'operator',
        },
      },
      report: () => ({ applied: null, report }),
      onIntent: (intent) => void (seen.intent = intent.document),
      onContact: (_contact, error) => void (error && (seen.error = error)),
      clock: systemClock,
      log,
      signal: stop.signal,
    });
    await until('an answer', () => ((seen.intent ?? seen.error) ? true : undefined), {
      timeoutMs: 5_000,
      everyMs: 5,
    });
    return seen;
  };
  assert.deepEqual((await connect('node-1', { size: 1 })).intent, { size: 7 });
  assert.match(
    (await connect('node-2', { size: 1 })).error?.message ?? '',
    /Nothing is intended for 'node-2'/,
  );
  assert.match((await connect('node-1', {})).error?.message ?? '', /size is missing/);
});

test('who does not say how long it waits is answered at once, and asks for the document once', async (t) => {
  const want = revise<Want>({ size: 1 });
  let asked = 0;
  const exchange = createExchangeServer<Want, Is>({
    superior: { intentFor: () => (asked++, want), onReport: () => undefined },
    peerOf: () => 'node-1',
    checkReport,
    log,
  });
  const server = createServer(exchange.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  for (const waitMs of [undefined, 'long', {}, -1]) {
    asked = 0;
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${exchangePath}`, {
      method: 'POST',
      body: JSON.stringify({ seen: want.revision, applied: null, report: { size: 1 }, waitMs }),
      signal: AbortSignal.timeout(2_000),
    });
    assert.deepEqual([answer.status, asked], [200, 1], JSON.stringify(waitMs));
  }
});
