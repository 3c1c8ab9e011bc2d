import { connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { ports } from '../network/ports.ts';

/**
 * Cassandra's metrics for the operator: bytes from the node's tunnel address to the exporter, and back. Cassandra itself may
 * not speak through the tunnel, and has no IPv6. TLS is between the operator and the exporter; nothing is read here.
 */
export interface MetricsRelay {
  /** Listens at this address of the tunnel; null: nowhere, and what is open is cut. Cheap while nothing changes. */
  keep(address: string | null): void;
}

/** An operator asks once in a while; more than this at once is no question. */
const connectionsMost = 4;
const idleMs = 30_000;

export function createMetricsRelay(options: {
  /** Where the exporter listens. */
  readonly target: string;
  readonly log: Log;
  readonly port?: number;
}): MetricsRelay {
  const { target, log, port = ports.metrics } = options;
  let server: Server | undefined;
  let kept: string | null = null;
  let said = '';
  const open = new Set<Socket>();

  function relay(socket: Socket): void {
    const near = connect({ host: target, port, allowHalfOpen: true });
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    for (const end of [socket, near]) {
      end.setTimeout(idleMs, () => end.destroy());
      // A pipeline that has ended listens no more; nobody is to be told.
      end.on('error', () => undefined);
    }
    // An end that is cut, or can't be reached, cuts the other.
    const over = (error: unknown): void => {
      if (error) for (const end of [socket, near]) end.destroy();
    };
    pipeline(socket, near, over);
    pipeline(near, socket, over);
  }

  function close(): void {
    server?.close();
    server = undefined;
    for (const socket of open) socket.destroy();
  }

  return {
    keep(address) {
      if (address === kept && (server || address === null)) return;
      close();
      kept = address;
      if (address === null) return;
      const mine = createServer({ allowHalfOpen: true }, relay);
      mine.maxConnections = connectionsMost;
      // A tunnel that isn't up yet has no address: the next pass tries again.
      mine.on('error', (error) => {
        const { message } = faultOf(error);
        if (message !== said) log.warn('the operator can’t be given metrics yet', { error });
        said = message;
        if (server === mine) server = undefined;
      });
      mine.listen({ host: address, port });
      server = mine;
    },
  };
}
