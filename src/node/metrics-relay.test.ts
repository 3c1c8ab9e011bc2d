import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { createMetricsRelay } from './metrics-relay.ts';

const [near, far] = ['127.0.0.2', '127.0.0.3'];

/** An exporter that answers once the question has ended, or keeps what it got until it is cut. */
async function world(answer: string | null) {
  const asked: Socket[] = [];
  const exporter = createServer({ allowHalfOpen: true }, (socket) => {
    asked.push(socket);
    socket.on('error', () => socket.destroy());
    socket.resume().on('end', () => answer !== null && socket.end(answer));
  });
  await once(exporter.listen(0, near), 'listening');
  const { port } = exporter.address() as AddressInfo;
  const said: string[] = [];
  const log = createLog({}, { level: 'info', write: (line) => void said.push(line) });
  const relay = createMetricsRelay({ target: near, port, log });
  const dial = async (): Promise<Socket> => {
    const socket = connect({ host: far, port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket.on('error', () => undefined);
  };
  /** A relay listens a moment after it was told to. */
  const listening = (): Promise<Socket> =>
    until('the relay to listen', () => dial().catch(() => undefined), { timeoutMs: 5_000, everyMs: 10 });
  return { exporter, port, relay, dial, listening, asked, said };
}

/** Whichever way the other side ends it. */
const toBeCut = (socket: Socket): Promise<unknown> =>
  once(
    socket.resume().on('end', () => socket.destroy()),
    'close',
  );

test('a question that ends first is answered whole, byte by byte', async (t) => {
  const long = 'x'.repeat(1 << 20);
  const { exporter, relay, listening } = await world(long);
  t.after(() => (relay.keep(null), exporter.close()));
  relay.keep(far);
  const socket = await listening();
  socket.end('GET');
  assert.equal(await text(socket), long);
});

test('where the door lets nobody in any more, what is open is cut and nothing listens', async (t) => {
  const { exporter, relay, dial, listening, asked } = await world(null);
  t.after(() => exporter.close());
  relay.keep(far);
  const socket = await listening();
  await until('the exporter to be reached', () => asked[0], { timeoutMs: 5_000, everyMs: 10 });
  const cut = toBeCut(socket);
  relay.keep(far);
  assert.equal(socket.destroyed, false, 'the same again changes nothing');
  relay.keep(null);
  await cut;
  await until('the exporter to be let go', () => asked[0]!.readableEnded || undefined, {
    timeoutMs: 5_000,
    everyMs: 10,
  });
  await assert.rejects(dial(), /ECONNREFUSED/);
});

test('more at once than anybody needs are sent away', async (t) => {
  const { exporter, relay, dial, listening, asked } = await world(null);
  t.after(() => (relay.keep(null), exporter.close()));
  relay.keep(far);
  const first = [await listening(), ...(await Promise.all([dial(), dial(), dial()]))];
  await until('four to be let through', () => asked.length === 4 || undefined, {
    timeoutMs: 5_000,
    everyMs: 10,
  });
  await toBeCut(await dial());
  assert.ok(first.every(({ destroyed }) => !destroyed));
});

test('an address that isn’t there yet is said once, and tried again', async (t) => {
  const { exporter, relay, said } = await world(null);
  t.after(() => (relay.keep(null), exporter.close()));
  for (let tries = 0; tries < 3; tries++) {
    relay.keep('192.0.2.1');
    await until('the refusal', () => said.length || undefined, { timeoutMs: 5_000, everyMs: 10 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(said.length, 1);
  assert.match(said[0]!, /EADDRNOTAVAIL/);
});
