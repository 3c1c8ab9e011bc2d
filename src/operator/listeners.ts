/** The three things that the operator offers inside the tunnel, on its tunnel address: opened once that address is there. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { ports } from '../network/ports.ts';
import { issueForOperator, serverRenewalMs, type Authorities } from './authorities.ts';
import { createEnrolmentServer, type EnrolmentServerOptions } from './enrolment-server.ts';
import { openMtuEcho } from './mtu-echo.ts';
import { createNodeExchange, type NodeExchange, type NodeExchangeOptions } from './node-exchange.ts';

export interface ListenersOptions {
  readonly authorities: Authorities;
  readonly clock: Clock;
  readonly enrolment: Omit<EnrolmentServerOptions, 'identity' | 'authority'>;
  readonly exchange: Omit<NodeExchangeOptions, 'identity' | 'authority'>;
}

export interface Listeners {
  /** Opens what isn't open, renews what grows old. Throws when a port can't be had; the next call tries again. */
  ensure(address: string): Promise<void>;
  wake(node: string): void;
  close(): void;
}

export function createListeners(options: ListenersOptions): Listeners {
  const { authorities, clock } = options;
  const authority = authorities.exchange.certificate;
  let issuedAt = 0;
  let exchange: NodeExchange | undefined;
  let newcomers: Server | undefined;
  let renew: ((identity: typeof authorities.exchange) => void)[] = [];
  const open = new Map<string, { close(): void }>();

  async function listen(name: string, address: string, port: number, server: Server): Promise<void> {
    if (open.has(name)) return;
    server.listen(port, address);
    await once(server, 'listening');
    open.set(name, server);
  }

  return {
    async ensure(address) {
      const now = clock.now();
      if (open.size === 3 && now - issuedAt < serverRenewalMs) return;
      const identity = await issueForOperator(authorities, [address], now);
      for (const put of renew) put(identity);
      if (!exchange) {
        const enrolment = createEnrolmentServer({ ...options.enrolment, identity, authority });
        exchange = createNodeExchange({ ...options.exchange, identity, authority });
        renew = [enrolment.renew, exchange.renew];
        newcomers = enrolment.server;
      }
      issuedAt = now;
      await listen('enrolment', address, ports.enrolment, newcomers!);
      await listen('exchange', address, ports.exchange, exchange.server);
      if (!open.has('echo')) open.set('echo', await openMtuEcho(address, ports.mtuProbe));
    },
    wake: (node) => exchange?.wake(node),
    close() {
      for (const listener of open.values()) listener.close();
    },
  };
}
