import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';
import { programRoot } from '../home.ts';
import { enterApplication } from '../stack/fabric.ts';

export interface Forward {
  readonly node: string;
  readonly port: number;
  readonly server: Server;
}

/** Opens a port on loopback for each node; what comes in goes out of the application machine, one relay process a connection. */
export async function forwardNodes(
  cx: CliContext,
  network: string,
  nodes: readonly string[],
  cqlPort: number,
): Promise<readonly Forward[]> {
  const forwards: Forward[] = [];
  for (const node of nodes) {
    const argv = [process.execPath, join(programRoot, 'dist/cli/connect/relay.js'), node, String(cqlPort)];
    const { command, args } = await enterApplication(cx.home, network, argv);
    const server = createServer((socket) => relay(socket, command, args));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    forwards.push({ node, server, port: typeof address === 'object' && address ? address.port : 0 });
  }
  return forwards;
}

function relay(socket: Socket, command: string, args: readonly string[]): void {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
  const close = (): void => {
    socket.destroy();
    child.kill();
  };
  for (const each of [socket, child, child.stdin, child.stdout]) each.on('error', close);
  socket.on('close', close);
  child.on('close', close);
}
