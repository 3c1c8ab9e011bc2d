import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock, until } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { createRelay, relayLimits, type RelayLimits } from './relay.ts';

// Nodes are told by their addresses: here 127.0.0.2 and up, each a node, in place of tunnel addresses.

const nodeNames = new Map([
  ['127.0.0.2', 'dc1-0'],
  ['127.0.0.3', 'dc1-1'],
]);
type Talk = (socket: Socket) => void;
const cut = /^(ended|ECONNRESET)$/;
const echo: Talk = (socket) => socket.pipe(socket);

async function serve(t: TestContext, talk: Talk, options: { allowHalfOpen?: boolean } = {}): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer(options, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return server;
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function start(t: TestContext, limits: Partial<RelayLimits> = {}, names = new Map(nodeNames)) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(
    {},
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const relay = createRelay({
    ...{ nodeAt: (source) => names.get(source), clock: systemClock, log },
    limits: { ...relayLimits, ...limits },
  });
  const listen = { address: '127.0.0.1', port: await freePort() };
  t.after(() => relay.ensure(undefined));
  return {
    ...{ relay, names, lines },
    lead: (gate: Server | number) =>
      relay.ensure({
        listen,
        gate: { address: '127.0.0.1', port: typeof gate === 'number' ? gate : portOf(gate) },
      }),
    refusals: () =>
      lines
        .filter(({ message }) => message === 'a connection to services was refused')
        .map(({ reason }) => reason),
    dial(from = '127.0.0.2') {
      const socket = connect({
        host: listen.address,
        port: listen.port,
        localAddress: from,
        allowHalfOpen: true,
      });
      let end = '';
      socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message));
      socket.on('end', () => (end ||= 'ended'));
      t.after(() => socket.destroy());
      return {
        socket,
        ended: () => {
          socket.resume();
          return until('the connection to end', () => end || undefined, { timeoutMs: 5_000, everyMs: 5 });
        },
      };
    },
  };
}
const said = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    for (const over of ['end', 'error']) socket.once(over, () => reject(new Error('Nothing was said.')));
  });

test('bytes go to the gate and back, and an end that is done leaves the other open', async (t) => {
  const gate = await serve(
    t,
    (socket) => {
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.on('end', () => socket.end(`heard ${heard}`));
    },
    { allowHalfOpen: true },
  );
  const to = await start(t);
  await to.lead(gate);
  const { socket, ended } = to.dial();
  socket.end('all of it');
  assert.equal(await said(socket), 'heard all of it');
  assert.equal(await ended(), 'ended');
});

test('what comes in pieces of any size arrives as it was sent, both ways, on many connections at once', async (t) => {
  const to = await start(t);
  // It waits in between, so that pieces gather at every place where they may.
  await to.lead(
    await serve(
      t,
      (socket) => {
        socket.on('data', () => {
          socket.pause();
          setImmediate(() => socket.resume());
        });
        echo(socket);
      },
      { allowHalfOpen: true },
    ),
  );
  const whole = randomBytes(3_000_000);
  const echoed = Array.from({ length: 4 }, async (_, connection) => {
    const { socket } = to.dial();
    const heard = createHash('sha256');
    socket.on('data', (bytes: Buffer) => heard.update(bytes));
    for (let [at, piece] = [0, 1 + connection]; at < whole.length; at += piece) {
      piece = (piece * 7919) % 100_003;
      if (!socket.write(whole.subarray(at, at + piece))) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'end');
    return heard.digest('hex');
  });
  const sent = createHash('sha256').update(whole).digest('hex');
  assert.deepEqual(await Promise.all(echoed), [sent, sent, sent, sent]);
});

test('an end that breaks breaks the other, also where that one had no more to say', async (t) => {
  const to = await start(t);
  const far = Promise.withResolvers<Socket>();
  const talk = (socket: Socket): void => {
    socket.resume().end('all that it has to say');
    far.resolve(socket);
  };
  await to.lead(await serve(t, talk, { allowHalfOpen: true }));
  const { socket } = to.dial();
  socket.write('and more to come');
  await once(socket.resume(), 'end');
  const gone = once(await far.promise, 'close');
  socket.resetAndDestroy();
  // Long before a silent connection is cut.
  await Promise.race([
    gone,
    once(AbortSignal.timeout(5_000), 'abort').then(() => assert.fail('It stays open.')),
  ]);
});

test('who reads slowly holds back who writes', async (t) => {
  const size = 32 << 20;
  let writer: Socket | undefined;
  const gate = await serve(t, (socket) => {
    writer = socket;
    socket.end(Buffer.alloc(size));
  });
  const to = await start(t);
  await to.lead(gate);
  const { socket, ended } = to.dial();
  socket.pause();
  await until('the writer to begin', () => writer, { timeoutMs: 5_000 });
  let before = -1;
  const stalled = await until(
    'it to be held back',
    () => {
      const now = writer!.bytesWritten - writer!.writableLength;
      const same = now === before ? now : undefined;
      before = now;
      return same;
    },
    { timeoutMs: 10_000, everyMs: 300 },
  );
  assert.ok(stalled < size / 2, `${stalled} bytes were taken though nobody reads`);
  let read = 0;
  socket.on('data', (chunk: Buffer) => (read += chunk.length)).resume();
  await ended();
  assert.equal(read, size);
});

test('a node has so many connections, all have so many, and who is no node has none; the log counts them', async (t) => {
  const gate = await serve(t, echo);
  const to = await start(t, { perNode: 2, inAll: 3 });
  await to.lead(gate);
  const talk = async (from: string): Promise<Socket> => {
    const { socket } = to.dial(from);
    socket.write('x');
    assert.equal(await said(socket), 'x');
    return socket;
  };
  const first = await talk('127.0.0.2');
  await talk('127.0.0.2');
  for (const _ of [1, 2, 3]) assert.match(await to.dial('127.0.0.2').ended(), cut);
  await talk('127.0.0.3');
  assert.match(await to.dial('127.0.0.3').ended(), cut);
  assert.match(await to.dial('127.0.0.4').ended(), cut);
  assert.deepEqual(to.refusals(), [
    'the node has 2 connections',
    'there are 3 connections',
    'no node has this address',
  ]);
  first.destroy();
  await until(
    'its place to be free',
    async () => {
      const { socket } = to.dial('127.0.0.2');
      socket.write('y');
      return (await said(socket).catch(() => 'refused')) === 'y' || undefined;
    },
    { timeoutMs: 5_000 },
  );
});

test('a connection on which nothing moves is cut: a silent one, a half closed one, one whose reader is stuck', async (t) => {
  let much: Socket | undefined;
  const talk: Talk = (socket) =>
    void socket.once('data', (chunk: Buffer) => {
      if (chunk.toString() === 'much') (much = socket).write(Buffer.alloc(32 << 20));
    });
  const gate = await serve(t, talk, { allowHalfOpen: true });
  const to = await start(t, { idleMs: 200 });
  await to.lead(gate);
  const [silent, half] = [to.dial(), to.dial()];
  half.socket.end('x');
  to.dial().socket.pause().write('much');
  assert.match(await silent.ended(), cut);
  assert.match(await half.ended(), cut);
  await until('the writer to be told', () => much?.destroyed || undefined, { timeoutMs: 5_000 });
});

test('without a gate nobody listens, and what was open is cut; so is what led to another gate, or from a node that left', async (t) => {
  const [one, other] = [await serve(t, echo), await serve(t, echo)];
  const to = await start(t);
  const talking = async (from?: string) => {
    const dialled = to.dial(from);
    dialled.socket.write('x');
    assert.equal(await said(dialled.socket), 'x');
    return dialled;
  };
  await to.lead(one);
  const first = await talking();
  await to.lead(one);
  first.socket.write('y');
  assert.equal(await said(first.socket), 'y', 'the same way is left alone');
  await to.lead(other);
  assert.match(await first.ended(), cut);
  const [stays, leaves] = [await talking('127.0.0.2'), await talking('127.0.0.3')];
  to.names.delete('127.0.0.3');
  await to.lead(other);
  assert.match(await leaves.ended(), cut);
  await to.relay.ensure(undefined);
  assert.match(await stays.ended(), cut);
  assert.equal(await to.dial().ended(), 'ECONNREFUSED');
});

test('a gate that does not answer ends the connection, and a port that is taken is tried again', async (t) => {
  const to = await start(t);
  await to.lead(await freePort());
  assert.match(await to.dial().ended(), cut);
  await to.relay.ensure(undefined);
  const gate = await serve(t, echo);
  const taken = await serve(t, echo);
  const way = {
    listen: { address: '127.0.0.1', port: portOf(taken) },
    gate: { address: '127.0.0.1', port: portOf(gate) },
  };
  await assert.rejects(to.relay.ensure(way), { code: 'EADDRINUSE' });
  taken.close();
  await once(taken, 'close');
  await to.relay.ensure(way);
});
