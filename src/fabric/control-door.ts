import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Log } from '../lib/log.ts';
import type { RoleContext } from '../lib/role.ts';
import { ports } from '../network/ports.ts';

/** Ports in the provider's network, and the sockets of control's that they lead to. */
const ways = [
  { port: ports.control, socket: 'exchange' },
  { port: ports.controlEnrolment, socket: 'enrolment' },
  { port: ports.controlGate, socket: 'gate' },
] as const;

/**
 * The role `control-door`: gives control an address in the provider's network, by passing bytes on to its unix sockets. TLS
 * goes through to control; this can read nothing of it. Who may come is the platform policy's to say.
 */
export async function runControlDoor(context: RoleContext): Promise<void> {
  const { log, signal, env } = context;
  const folder = env['SALLYPORT_DOORS'] ?? '/run/control';
  const servers = await Promise.all(ways.map(({ port, socket }) => openWay(port, join(folder, socket), log)));
  log.info('control has its door', { ports: ways.map(({ port }) => port) });
  if (!signal.aborted) await once(signal, 'abort');
  for (const server of servers) server.close();
}

/** An operator needs a few; one that was taken over must not use up what control has for all. */
const mostFromOne = 32;

/** Listens on a port and joins each connection with one to the socket. Ends of one side end the other. */
export async function openWay(port: number, socketPath: string, log: Log): Promise<Server> {
  const open = new Map<string, number>();
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    // Who it is, the router vouches for.
    const peer = outer.remoteAddress ?? '';
    const now = open.get(peer) ?? 0;
    if (now >= mostFromOne) {
      log.debug('too many connections from one address', { port, peer });
      outer.destroy();
      return;
    }
    open.set(peer, now + 1);
    outer.once('close', () => {
      const left = open.get(peer)! - 1;
      if (left > 0) open.set(peer, left);
      else open.delete(peer);
    });
    const inner = connect({ path: socketPath, allowHalfOpen: true });
    let told = false;
    const fail = (error: Error): void => {
      if (!told) log.debug('connection broke', { port, error });
      told = true;
      outer.destroy();
      inner.destroy();
    };
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as readonly (readonly [Socket, Socket])[]) {
      from.on('error', fail);
      from.on('close', () => to.destroySoon());
      from.pipe(to);
    }
    outer.setKeepAlive(true, 10_000);
    outer.setNoDelay(true);
  });
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  return server;
}
