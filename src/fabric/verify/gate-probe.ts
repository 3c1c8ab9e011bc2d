/**
 * The prober of the gate: says what it is told to, over TLS or without, and hands back what came. It decides nothing: what to try is
 * data from tries-gate.ts, what it means is judge-gate.ts's. A machine's Node.js gets it by standard input, so it must import
 * nothing but what is Node.js's own.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';

export interface GateOrder {
  readonly id: string;
  readonly to: string;
  readonly port: number;
  /** Null: the bytes go as they are. */
  readonly tls: {
    /** Null: no name is sent. */
    readonly sni: string | null;
    readonly alpn: readonly string[];
    readonly version: 'TLSv1.2' | 'TLSv1.3';
  } | null;
  /** Bytes, as latin1. */
  readonly say: string;
}

/** What came of an order. */
export interface GateHeard {
  readonly id: string;
  /** How far it came: nowhere, to an open connection, through the handshake of TLS. */
  readonly stage: 'none' | 'connected' | 'secured';
  /** `closed`, `silent`, `full` (more came than is heard out), or an error's code. */
  readonly end: string;
  /** The first bytes that came back, as latin1; within TLS where there is any. */
  readonly heard: string;
}

export interface GateOrders {
  /** Whose certificate the gate shows, PEM: nobody else is spoken with. */
  readonly authority: string;
  /** Names that the gate's certificates may bear: to take another for it would be to take a refusal for an answer. */
  readonly names: readonly string[];
  readonly orders: readonly GateOrder[];
  readonly atOnce: number;
}

const silenceMs = 2_500;
const mostHeard = 16_384;

/** Every order once, some at a time. Never throws. */
export async function sayAll(given: GateOrders): Promise<readonly GateHeard[]> {
  const heard: GateHeard[] = [];
  const left = [...given.orders];
  const work = async (): Promise<void> => {
    for (let order = left.shift(); order; order = left.shift()) heard.push(await sayOne(order, given));
  };
  await Promise.all(Array.from({ length: given.atOnce }, work));
  return heard;
}

function sayOne(order: GateOrder, { authority, names }: GateOrders): Promise<GateHeard> {
  const { id, to: host, port, tls, say } = order;
  return new Promise((resolve) => {
    let stage: GateHeard['stage'] = 'none';
    let heard = '';
    const ends: Socket[] = [];
    const end = (why: string): void => {
      for (const socket of ends) socket.destroy();
      resolve({ id, stage, end: why, heard: heard.slice(0, mostHeard) });
    };
    const fails = (error: NodeJS.ErrnoException): void => end(error.code ?? error.message.slice(0, 200));
    const watch = (socket: Socket): void => {
      ends.push(socket);
      socket.on('error', fails);
      socket.on('close', () => end('closed'));
      socket.setTimeout(silenceMs, () => end('silent'));
    };
    const speak = (socket: Socket): void => {
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        if (heard.length >= mostHeard) end('full');
      });
      socket.on('end', () => end('closed'));
      socket.write(Buffer.from(say, 'latin1'));
    };
    const tcp = connectTcp({ host, port });
    watch(tcp);
    tcp.on('connect', () => {
      stage = 'connected';
      if (!tls) return speak(tcp);
      const own = [...names, ...(tls.sni === null ? [] : [tls.sni])];
      try {
        const secured = connectTls({
          socket: tcp,
          ca: authority,
          servername: tls.sni ?? '',
          minVersion: tls.version,
          maxVersion: tls.version,
          ...(tls.alpn.length > 0 && { ALPNProtocols: [...tls.alpn] }),
          checkServerIdentity: (_, certificate) => {
            const said = own.map((name) => checkServerIdentity(name, certificate));
            return said.includes(undefined) ? undefined : said[0];
          },
        });
        watch(secured);
        secured.on('secureConnect', () => {
          stage = 'secured';
          speak(secured);
        });
      } catch (error) {
        fails(error as NodeJS.ErrnoException);
      }
    });
  });
}
