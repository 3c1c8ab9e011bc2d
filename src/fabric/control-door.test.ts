import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { openWay } from './control-door.ts';

const log = createLog({}, { write: () => undefined });

async function withWay(work: (port: number, socket: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-door-'));
  const socket = join(folder, 'sock');
  const way = await openWay(0, socket, log);
  try {
    await work((way.address() as AddressInfo).port, socket);
  } finally {
    way.close();
    await rm(folder, { recursive: true });
  }
}

test('passes bytes both ways, and an end of one side to the other', async () => {
  await withWay(async (port, socket) => {
    const inner = createServer({ allowHalfOpen: true }, (peer) => {
      let heard = '';
      peer.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      peer.on('end', () => peer.end(`heard ${heard}`));
    });
    inner.listen(socket);
    await once(inner, 'listening');
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.end('hello');
    let said = '';
    for await (const chunk of client) said += String(chunk);
    assert.equal(said, 'heard hello');
    inner.close();
  });
});

test('a connection ends when control is not there', async () => {
  await withWay(async (port) => {
    const client = connect({ port, host: '127.0.0.1' });
    client.on('error', () => undefined);
    await once(client, 'close');
  });
});

test('one address gets so many connections and no more, and others when it ends some', async () => {
  await withWay(async (port, socket) => {
    const inner = createServer((peer) => void peer.write('in'));
    inner.listen(socket);
    await once(inner, 'listening');
    const knock = async () => {
      const client = connect({ port, host: '127.0.0.1' });
      client.on('error', () => undefined);
      const said = await Promise.race([
        once(client, 'data').then(() => 'in'),
        once(client, 'close').then(() => 'out'),
      ]);
      return { client, said };
    };
    const guests = await Promise.all(Array.from({ length: 40 }, knock));
    assert.equal(guests.filter(({ said }) => said === 'in').length, 32);
    const first = guests.find(({ said }) => said === 'in')!;
    first.client.destroy();
    await once(first.client, 'close');
    const again = await until(
      'a place',
      async () => {
        const guest = await knock();
        return guest.said === 'in' ? guest : undefined;
      },
      { timeoutMs: 2_000, everyMs: 20, clock: systemClock },
    );
    for (const { client } of [...guests, again]) client.destroy();
    inner.close();
  });
});
