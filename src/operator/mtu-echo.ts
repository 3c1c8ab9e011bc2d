/** Sends each datagram back as it came, so that a node finds the largest one that the tunnel carries. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export async function openMtuEcho(address: string, port: number): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    // A probe that is too large for the way back fails here, and is thereby answered: not at all.
    socket.send(message, from.port, from.address, () => undefined);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  socket.on('error', () => undefined);
  return socket;
}
