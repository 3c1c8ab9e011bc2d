/** A node's stand-in for the operator's tests: real keys, real tunnel, real TLS, and a Cassandra that is only told of. */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import * as http from 'node:http';
import { connect, createServer } from 'node:net';
import { dialler, follow } from '../../../src/exchange/client.ts';
import type {
  EnrolmentGrant,
  EnrolmentRequest,
  JoinFile,
  NodeIntent,
  NodeReport,
} from '../../../src/exchange/intents/node.ts';
import type { Revised } from '../../../src/exchange/revision.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createRequest, fingerprint } from '../../../src/lib/x509.ts';
import { ensureWireguard, generateWireguardKeys, readWireguard } from '../../../src/network/wireguard.ts';
import { reportOf, type ModelNode } from '../../harness/operator/ladder-model.ts';

const log = createLog({ role: 'puppet' }, { level: 'error' });
const tools = process.env['PUPPET_TOOLS']!;
const keys = generateWireguardKeys();
const requests = await Promise.all([1, 2, 3].map(() => createRequest('node')));
const [exchangeKey, internodeKey, clientKey] = requests;

let join: JoinFile | undefined;
let grant: EnrolmentGrant | undefined;
let intent: Revised<NodeIntent> | undefined;
let ringAddresses: string[] = [];
let stopFollowing = new AbortController();
const model: ModelNode = {
  ...{
    name: '',
    address: '',
    intent: undefined,
    applied: null,
    door: 'born',
    running: false,
    mode: null,
    native: false,
  },
  ...{ ledger: {}, checked: false, member: false },
};

const tunnel = (privateKey: string, address: string): Promise<unknown> =>
  ensureWireguard(
    {
      device: 'wg0',
      privateKey,
      addresses: [`${address}/48`],
      mtu: 1420,
      peers: [
        {
          publicKey: join!.operator.publicKey,
          endpoint: join!.endpoint,
          allowedIps: ['fd12:3456:789a::/48'],
          keepaliveSeconds: 1,
        },
      ],
    },
    { log, tools, runFolder: '/run/puppet' },
  );

const commands: Record<string, (args: never) => unknown> = {
  async oneTime(args: { join: JoinFile }) {
    join = args.join;
    await tunnel(join.oneTime.privateKey, join.oneTime.address);
  },

  async handshake(args: { timeoutMs: number }) {
    const shaken = async (): Promise<true | undefined> =>
      (await readWireguard('wg0'))?.peers[0]?.latestHandshake ? true : undefined;
    return until('a handshake', shaken, { timeoutMs: args.timeoutMs }).catch(() => false);
  },

  async enrol(args: { node: string; address: string; freshKey?: boolean }) {
    const { address: host, enrolmentPort: port, authorityFingerprint } = join!.operator;
    const authority = await new Promise<string>((resolve, reject) => {
      const asked = http.get({ host, port, path: '/authority', agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      });
      asked.on('error', reject);
    });
    if ((await fingerprint(authority)) !== authorityFingerprint) throw new Error('another authority');
    const body: EnrolmentRequest = {
      node: args.node,
      address: args.address,
      wireguardPublicKey: args.freshKey ? generateWireguardKeys().publicKey : keys.publicKey,
      requests: {
        exchange: exchangeKey!.request,
        internode: internodeKey!.request,
        client: clientKey!.request,
      },
    };
    const operator = dialler({ host, port, tls: { ca: authority, servername: 'operator' } });
    try {
      grant = await operator.json<EnrolmentGrant>('POST', '/enrol', body, 10_000);
    } finally {
      operator.close();
    }
    return grant;
  },

  lasting: () => tunnel(keys.privateKey, grant!.address),

  async follow(args: { node: string; address: string; ring: string[] }) {
    Object.assign(model, { name: args.node, address: args.address });
    ringAddresses = args.ring;
    stopFollowing = new AbortController();
    const { exchange } = grant!;
    const tls = {
      key: exchangeKey!.privateKey,
      cert: exchange.certificate,
      ca: exchange.authority,
      servername: 'operator',
    };
    const following = follow<NodeIntent, NodeReport>({
      dial: { host: join!.operator.address, port: exchange.port, tls },
      ...{ clock: systemClock, log, signal: stopFollowing.signal, beatMs: 500 },
      report: () => ({ applied: model.applied, report: reportOf(model, model.mode ? ringAddresses : []) }),
      onIntent(next) {
        intent = next;
        obey(next);
        following.poke();
      },
    });
  },

  unfollow: () => stopFollowing.abort(),
  intent: () => intent?.document ?? null,

  tcp: (args: { host: string; port: number; from?: string }) =>
    new Promise((resolve) => {
      const socket = connect({
        host: args.host,
        port: args.port,
        ...(args.from && { localAddress: args.from }),
      });
      const finish = (said: string): void => {
        socket.destroy();
        resolve(said);
      };
      socket.setTimeout(1_200, () => finish('silence'));
      socket.on('connect', () => finish('open'));
      socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'error'));
    }),

  hear: (args: { host: string; port: number }) =>
    new Promise((resolve) => {
      let heard = '';
      const socket = connect(args);
      const finish = (): void => {
        socket.destroy();
        resolve(heard);
      };
      socket.setTimeout(2_000, finish);
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.on('end', finish);
      socket.on('error', (error: NodeJS.ErrnoException) => ((heard = error.code ?? 'error'), finish()));
    }),

  listen: (args: { port: number }) =>
    new Promise((resolve) =>
      createServer((socket) => socket.end()).listen(args.port, '::', () => resolve(true)),
    ),

  echo: (args: { host: string; port: number; bytes: number }) =>
    new Promise((resolve) => {
      const socket = createSocket('udp6');
      const finish = (said: number | null): void => {
        clearTimeout(timer);
        socket.close();
        resolve(said);
      };
      const timer = setTimeout(() => finish(null), 1_200);
      socket.on('message', (message) => finish(message.length));
      socket.on('error', () => finish(null));
      socket.send(Buffer.alloc(args.bytes), args.port, args.host);
    }),
};

/** What an agent and its Cassandra would do, at once. */
function obey({ revision, document }: Revised<NodeIntent>): void {
  Object.assign(model, { intent: { revision, document }, door: document.door.state, applied: revision });
  model.running = document.cassandra.process === 'running';
  if (model.running && model.mode === null)
    Object.assign(model, { mode: 'NORMAL', native: document.cassandra.startNativeTransport });
  for (const work of document.work) {
    if (work.kind === 'start-native-transport') model.native = true;
    model.ledger[work.id] = { state: 'done', error: null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...args } = JSON.parse(line) as { do: string };
  try {
    const value = await commands[name]!(args as never);
    process.stdout.write(`${JSON.stringify({ value })}\n`);
  } catch (error) {
    process.stdout.write(
      `${JSON.stringify({ error: `${(error as { code?: string }).code ?? ''} ${(error as Error).message}` })}\n`,
    );
  }
}
