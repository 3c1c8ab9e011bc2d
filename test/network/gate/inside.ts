/** Runs in a machine's network: `serve NAME PORT FILE` is an account, `ask HOST SNI CA-FILE` says one request and prints what came of it. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { connect } from 'node:tls';

const [mode, name = '', place = '', file = ''] = process.argv.slice(2);
if (mode === 'serve') {
  const { privateKey, certificate } = JSON.parse(readFileSync(file, 'utf8')) as {
    privateKey: string;
    certificate: string;
  };
  createServer({ key: privateKey, cert: certificate }, (request, response) => {
    request.on('end', () => response.end(`this is ${name}, for ${request.headers.host}`)).resume();
  }).listen(Number(place), '0.0.0.0');
  // It ends with the test, whose folder its key lies in.
  setInterval(() => existsSync(file) || process.exit(), 500);
} else {
  const [host, port = '443'] = name.split(':');
  const socket = connect({
    ...{ host: host!, port: Number(port), servername: place, ca: readFileSync(file, 'utf8'), timeout: 2_000 },
  });
  const end = (word: string): void => {
    process.stdout.write(`${word}\n`);
    process.exit();
  };
  let heard = '';
  socket.on('secureConnect', () =>
    socket.write(`GET / HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`),
  );
  socket.on('data', (data: Buffer) => (heard += data.toString()));
  socket.on('end', () => end(heard.replaceAll('\r\n', ' ')));
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  socket.on('timeout', () => end('silent'));
}
