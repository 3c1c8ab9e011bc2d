import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
