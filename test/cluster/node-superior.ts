/**
 * An operator as small as can be, with the real wire: a WireGuard listener, the enrolment port, the exchange, the MTU echo.
 * It runs inside a machine of the test's own, hands down what `intent.json` on its disk says, and writes what comes up.
 */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { createServer, type Socket } from 'node:net';
import { createExchangeServer, peerByCertificate, readBody } from '../../src/exchange/server.ts';
import type {
  EnrolmentGrant,
  EnrolmentRequest,
  JoinFile,
  NodeIntent,
  NodeReport,
} from '../../src/exchange/intents/node.ts';
import { revise } from '../../src/exchange/revision.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { createAuthority, fingerprint, issue, issueOnRequest } from '../../src/lib/x509.ts';
import { ports } from '../../src/network/ports.ts';
import { playBlobs } from '../harness/log-store.ts';
import { ensureWireguard, generateWireguardKeys, type WireguardPeer } from '../../src/network/wireguard.ts';

const disk = '/var/lib/sallyport';
const log = createLog({ role: 'superior' });
const { node, address, endpoint, identity } = JSON.parse(await readFile(`${disk}/superior.json`, 'utf8')) as {
  node: string;
  address: string;
  endpoint: string;
  identity: string;
};
const overlay = {
  operator: 'fd12:3456:789a::1',
  node: 'fd12:3456:789a:1::1',
  oneTime: 'fd12:3456:789a:e::1',
};
const now = Date.now();
const years = { days: 3650, now };
const [exchange, internode, client] = await Promise.all([
  createAuthority('exchange', years),
  createAuthority('internode', years),
  createAuthority('client', years),
]);
const server = await issue(exchange, {
  commonName: 'operator',
  dns: ['operator'],
  ip: [overlay.operator],
  use: ['server'],
  days: 365,
  now,
});
const own = generateWireguardKeys();
const oneTime = generateWireguardKeys();

const tunnel = (peers: readonly WireguardPeer[]): Promise<unknown> =>
  ensureWireguard(
    {
      device: 'wg0',
      privateKey: own.privateKey,
      listenPort: ports.wireguard,
      addresses: [`${overlay.operator}/48`],
      mtu: 1420,
      peers,
    },
    { log, tools: '/opt/tools', runFolder: '/run/sallyport' },
  );

await tunnel([{ publicKey: oneTime.publicKey, allowedIps: [`${overlay.oneTime}/128`] }]);
const join: JoinFile = {
  version: 1,
  cluster: 'test',
  node,
  endpoint: { address: endpoint, port: ports.wireguard },
  operator: {
    publicKey: own.publicKey,
    address: overlay.operator,
    enrolmentPort: ports.enrolment,
    authorityFingerprint: await fingerprint(exchange.certificate),
  },
  oneTime: { privateKey: oneTime.privateKey, address: overlay.oneTime },
};
writeFileSync(`${disk}/join.json`, JSON.stringify(join), { mode: 0o600 });

let certificates: NodeIntent['certificates'] | undefined;
let enrolments = 0;
async function enrol(request: EnrolmentRequest): Promise<EnrolmentGrant> {
  const leaf = { days: 365, now: Date.now(), use: ['server', 'client'] as const };
  const [forExchange, forInternode, forClient] = await Promise.all([
    issueOnRequest(exchange, request.requests.exchange, { ...leaf, use: ['client'], commonName: node }),
    issueOnRequest(internode, request.requests.internode, { ...leaf, commonName: node, uri: [identity] }),
    issueOnRequest(client, request.requests.client, {
      ...leaf,
      commonName: node,
      dns: [node],
      ip: [address],
    }),
  ]);
  certificates = {
    internode: { certificate: forInternode, authority: internode.certificate },
    client: { certificate: forClient, authority: client.certificate },
  };
  writeFileSync(
    `${disk}/enrolled.json`,
    JSON.stringify({ enrolments: ++enrolments, clientAuthority: client.certificate }),
  );
  const grant = { certificate: forExchange, authority: exchange.certificate, port: ports.exchange };
  return { address: overlay.node, exchange: grant };
}

const secure = https.createServer(
  { key: server.privateKey, cert: server.certificate, minVersion: 'TLSv1.3' },
  async (request, response) => {
    const body = JSON.parse(await readBody(request, 65_536)) as EnrolmentRequest;
    const grant = await enrol(body);
    response.on('finish', () => {
      void tunnel([{ publicKey: body.wireguardPublicKey, allowedIps: [`${overlay.node}/128`] }]);
    });
    response.end(JSON.stringify(grant));
  },
);
const clear = http.createServer((_, response) => response.end(exchange.certificate));
createServer((socket: Socket) => {
  socket.once('readable', () => {
    const first = socket.read(1) as Buffer | null;
    if (!first) return socket.destroy();
    socket.unshift(first);
    (first[0] === 0x16 ? secure : clear).emit('connection', socket);
  });
}).listen(ports.enrolment, overlay.operator);

const echo = createSocket('udp6');
echo.on('message', (message, from) => echo.send(message, from.port, from.address));
echo.bind(ports.mtuProbe, overlay.operator);

// What a relay and a gate would lead to: an account of its own authority, which keeps what it is sent.
const account = 'logs.blob.core.windows.net';
const gate = await createAuthority('gate', years);
const shown = await issue(gate, { ...years, commonName: account, dns: [account], use: ['server'] });
const stored = playBlobs('cassandra', 'right-secret');
https
  .createServer(
    { key: shown.privateKey, cert: shown.certificate, minVersion: 'TLSv1.3' },
    (request, response) => {
      stored.answer(request, response);
      response.on('finish', () =>
        writeFileSync(
          `${disk}/stored.json`,
          JSON.stringify({ system: stored.text('system.log'), audit: stored.text('audit.log') }),
        ),
      );
    },
  )
  .listen(ports.services, overlay.operator);
writeFileSync(`${disk}/gate.json`, JSON.stringify({ authority: gate.certificate }));

let wanted: NodeIntent | undefined;
const superior = createExchangeServer<NodeIntent, NodeReport>({
  log,
  peerOf: peerByCertificate,
  checkReport: (value) => value as NodeReport,
  superior: {
    intentFor: (peer) =>
      wanted && certificates && peer === node ? revise({ ...wanted, certificates }) : undefined,
    onReport(peer, report, applied) {
      const current = wanted && certificates ? revise({ ...wanted, certificates }).revision : null;
      writeFileSync(`${disk}/report.draft`, JSON.stringify({ peer, report, current: applied === current }));
      writeFileSync(`${disk}/report.json`, JSON.stringify({ peer, report, current: applied === current }));
    },
  },
});
https
  .createServer(
    {
      key: server.privateKey,
      cert: server.certificate,
      ca: exchange.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    superior.listener,
  )
  .listen(ports.exchange, overlay.operator);

let before = '';
for (;;) {
  const text = await readFile(`${disk}/intent.json`, 'utf8').catch(() => '');
  if (text !== before && text.endsWith('\n')) {
    before = text;
    wanted = JSON.parse(text) as NodeIntent;
    superior.wake();
  }
  await systemClock.sleep(50);
}
