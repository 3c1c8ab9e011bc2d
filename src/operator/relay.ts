/**
 * The nodes' way to the gate: bytes from a node's tunnel address go on to the gate, and back. It ends no TLS and knows no name;
 * who may reach which account is the gate's to judge. It is open while control's intent has a gate, and not longer.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createTally } from './tally.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Relay {
  /**
   * Leads from `listen` to `gate` from now on; what led elsewhere is cut, and so is what belongs to a node that is none any more.
   * Undefined: nothing is led anywhere. Throws when it can't listen; the next call tries again.
   */
  ensure(way: { readonly listen: Place; readonly gate: Place } | undefined): Promise<void>;
}

export interface RelayLimits {
  readonly perNode: number;
  /** Less than the gate takes from one operator. */
  readonly inAll: number;
  readonly connectMs: number;
  /** Without a byte in either direction; an end that is half closed is no byte. */
  readonly idleMs: number;
}

export const relayLimits: RelayLimits = { perNode: 16, inAll: 160, connectMs: 5_000, idleMs: 120_000 };

interface Way {
  readonly server: Server;
  readonly listen: Place;
  readonly gate: Place;
}

export function createRelay(options: {
  /** The enrolled node whose tunnel address this is. */
  readonly nodeAt: (source: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: RelayLimits;
}): Relay {
  const { nodeAt, log, limits = relayLimits } = options;
  const refusals = createTally(options);
  /** Both ends of each pipe, by the node's. */
  const pipes = new Map<Socket, { readonly node: string; readonly source: string; readonly far: Socket }>();
  let way: Way | undefined;

  function refuse(near: Socket, reason: string, fields: { readonly node?: string }): void {
    near.destroy();
    refusals.note('a connection to services was refused', { ...fields, reason });
  }

  function take(near: Socket, gate: Place): void {
    near.once('error', () => cut(near));
    const source = near.remoteAddress ?? '';
    const node = nodeAt(source);
    if (node === undefined) return refuse(near, 'no node has this address', {});
    const own = [...pipes.values()].filter((pipe) => pipe.node === node).length;
    if (own >= limits.perNode) return refuse(near, `the node has ${own} connections`, { node });
    if (pipes.size >= limits.inAll) return refuse(near, `there are ${pipes.size} connections`, { node });
    const far = connect({ host: gate.address, port: gate.port, allowHalfOpen: true });
    pipes.set(near, { node, source, far });
    far.setTimeout(limits.connectMs);
    for (const end of [near, far]) {
      end.once('timeout', () => cut(near));
      end.setNoDelay(true);
    }
    far.once('error', () => cut(near));
    far.once('connect', () => {
      for (const end of [near, far]) end.setTimeout(limits.idleMs);
      // An end that has nothing more to say is told to the other, which may go on; an end that breaks breaks the other.
      Promise.all([lead(near, far), lead(far, near)])
        .catch(() => undefined)
        .finally(() => cut(near));
    });
  }

  /**
   * Both ends at once, whatever is on its way: TLS tells half an answer from a whole one. Not by `resetAndDestroy`, which waits
   * for what a stuck end doesn't take, and never closes one that was half closed.
   */
  function cut(near: Socket): void {
    const far = pipes.get(near)?.far;
    pipes.delete(near);
    near.destroy();
    far?.destroy();
  }

  function close(): void {
    if (!way) return;
    way.server.close();
    way = undefined;
    log.info('services are out of reach', { cut: pipes.size });
    for (const near of pipes.keys()) cut(near);
  }

  return {
    async ensure(shall) {
      refusals.flush();
      for (const [near, pipe] of pipes) if (nodeAt(pipe.source) !== pipe.node) cut(near);
      if (way && shall && isSame(way.listen, shall.listen) && isSame(way.gate, shall.gate)) return;
      close();
      if (!shall) return;
      const { listen, gate } = shall;
      // Paused: nothing is read before there is somewhere to put it.
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => take(near, gate));
      server.listen({ host: listen.address, port: listen.port, backlog: 64 });
      await once(server, 'listening');
      server.on('error', (error) => log.error('a connection to services could not be taken', { error }));
      way = { server, listen, gate };
      log.info('services are within reach', { gate: gate.address });
    },
  };
}

/** Ends when all of it has been taken. Rejects when the end that takes it breaks. */
async function lead(from: Socket, to: Socket): Promise<void> {
  from.on('data', (bytes: Buffer<ArrayBuffer>) => {
    if (!to.write(bytes, () => free(bytes))) from.pause();
  });
  to.on('drain', () => from.resume());
  from.once('end', () => to.end());
  from.resume();
  await once(to, 'finish');
}

/**
 * Gives its memory back at once. The collector, left to do it, goes through the whole heap for each 50 MB that were led, and that
 * takes longer than to lead them. What is a part of something larger is not ours to give.
 */
function free({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}

const isSame = (one: Place, other: Place): boolean =>
  one.address === other.address && one.port === other.port;
