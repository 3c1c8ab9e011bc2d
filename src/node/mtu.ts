import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { ports } from '../network/ports.ts';

/** From the largest down; 1280 is what IPv6 itself asks of a link. */
export const mtuCandidates = [1420, 1400, 1380, 1340, 1280] as const;

/** IPv6 and UDP headers of the probe's own packet. */
const headers = 48;

export interface Probe {
  /** Whether a packet of `size` bytes inside the tunnel comes back whole. */
  (size: number): Promise<boolean>;
}

/** The largest candidate whose packet comes back; undefined when not even the smallest does. */
export async function findMtu(probe: Probe): Promise<number | undefined> {
  for (const candidate of mtuCandidates) if (await probe(candidate)) return candidate;
  return undefined;
}

/** Asks the operator's echo, twice per size: one lost packet is no verdict. */
export const echoProbe =
  (operator: string, timeoutMs = 400): Probe =>
  async (size) =>
    (await echo(operator, size, timeoutMs)) || echo(operator, size, timeoutMs);

function echo(operator: string, size: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp6');
    const payload = randomBytes(size - headers);
    const finish = (answer: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.on('message', (message) => message.equals(payload) && finish(true));
    socket.on('error', () => finish(false));
    socket.send(payload, ports.mtuProbe, operator, (error) => error && finish(false));
  });
}
