import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer as createTls } from 'node:tls';
import { execStatus } from '../../lib/exec.ts';
import { createLog } from '../../lib/log.ts';
import { createAuthority, issue } from '../../lib/x509.ts';
import { probeGate, readGateProgram } from './gate.ts';
import { sayAll, type GateOrder } from './gate-probe.ts';
import { shownByGate } from './judge-gate.ts';
import { gateBatch } from './tries-gate.ts';
import type { WorldMachine } from './world.ts';

const name = 'logs.example';
const days = { days: 1, now: Date.now() };
const answer = 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n';

/** Whoever answers here answers each request, over TLS by a certificate of an authority of its own. */
async function start(t: { after(fn: () => void): void }) {
  const authority = await createAuthority('a gate', days);
  const leaf = await issue(authority, { commonName: name, dns: [name], use: ['server'], ...days });
  const server = createTls({ key: leaf.privateKey, cert: leaf.certificate }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const asked = bytes.toString('latin1').match(/HTTP\/1\.1\r\n/g)?.length ?? 0;
      socket.write(answer.repeat(asked));
      if (/Connection: close/.test(bytes.toString('latin1'))) socket.end();
    });
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  t.after(() => server.close());
  return { authority: authority.certificate, port: (server.address() as AddressInfo).port };
}
const order = (
  id: string,
  port: number,
  tls: GateOrder['tls'],
  say = 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
) => ({
  ...{ id, to: '127.0.0.1', port, tls, say },
});
const tls = { sni: name, alpn: [], version: 'TLSv1.3' } as const;

test('the prober says how far it came, how it ended and what came back', async (t) => {
  const gate = await start(t);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port: nobody } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const talker = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('x'.repeat(100_000));
  }).listen(0, '127.0.0.1');
  await once(talker, 'listening');
  t.after(() => talker.close());
  const orders = [
    order('talks', (talker.address() as AddressInfo).port, null),
    order('answered', gate.port, tls),
    order('named', gate.port, { ...tls, sni: 'other.example' }),
    order('unnamed', gate.port, { ...tls, sni: null }),
    order('plain', gate.port, null),
    order('nobody', nobody, tls),
  ];
  const said = async (authority: string): Promise<Record<string, readonly string[]>> => {
    const heard = await sayAll({ authority, names: [name], orders, atOnce: 8 });
    return Object.fromEntries(heard.map(({ id, ...one }) => [id, [one.stage, one.end, one.heard]]));
  };
  const own = await said(gate.authority);
  for (const id of ['answered', 'named', 'unnamed'])
    assert.deepEqual(own[id], ['secured', 'closed', answer], id);
  assert.equal(own['plain']![0], 'connected');
  assert.deepEqual(own['talks']?.slice(0, 2), ['connected', 'full']);
  assert.deepEqual(own['nobody'], ['none', 'ECONNREFUSED', '']);
  const stranger = (await said((await createAuthority('another', days)).certificate))['answered']!;
  assert.equal(stranger[0], 'connected');
  assert.match(stranger[1]!, /CERT|UNABLE_TO_VERIFY/);
  assert.equal(stranger[2], '');
});

test('a machine’s Node.js gets it by standard input, and its answers are the controls', async (t) => {
  const gate = await start(t);
  const machine: WorldMachine = {
    ...{ id: 'op', kind: 'operator', hostname: 'op', network: 'provider', address: '127.0.0.1', allow: null },
  };
  const account = { name, address: '127.0.0.1', port: gate.port, ask: { method: 'GET', path: '/x' } };
  const batch = gateBatch({
    gate: { operator: 'op', authority: gate.authority, accounts: [account], others: [] },
    ...{ account, way: { to: '127.0.0.1', port: gate.port }, turn: 0 },
  });
  const controls = {
    ...batch,
    tries: [],
    controls: batch.controls.filter(({ control }) => control !== 'body'),
  };
  const world = {
    ...{ machines: [machine], links: [], canaries: { ipv4: [], ipv6: [] }, networks: [], recorders: [] },
    restoreRules: () => Promise.resolve(),
    enter: (_: string, [, ...args]: readonly string[], { input }: { readonly input?: string }) =>
      execStatus(process.execPath, args, { input: input ?? '' }),
  };
  const log = createLog({}, { write: () => undefined });
  const run = { world, gateProgram: await readGateProgram(), log };
  const heard = await probeGate(run, machine, controls, 'root');
  assert.deepEqual([...shownByGate({ batch: controls, heard })].sort(), ['host', 'request', 'two']);
});
