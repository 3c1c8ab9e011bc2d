/** Runs inside an application machine's network: `relay.js ADDRESS PORT` joins standard input and output to one connection. */
import { connect } from 'node:net';

const [address, port] = process.argv.slice(2);
const socket = connect({ host: address!, port: Number(port) });
const end = (): never => process.exit(0);
process.stdin.pipe(socket);
socket.pipe(process.stdout);
for (const each of [socket, process.stdin, process.stdout]) each.on('error', end);
socket.on('close', end);
