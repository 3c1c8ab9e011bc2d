import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createAuthority, issue } from '../lib/x509.ts';
import { askByGate } from './by-gate.ts';

const account = 'monitor.example';
const words = 'The gate refused this request: grant. More of it.';

test("a refusal is the gate's by its header: a service may write the same words", async (t) => {
  const now = Date.now();
  const authority = await createAuthority('gate', { days: 1, now });
  const profile = { commonName: account, dns: [account], use: ['server' as const], days: 1, now };
  const leaf = await issue(authority, profile);
  const server = createServer({ key: leaf.privateKey, cert: leaf.certificate }, ({ url }, response) => {
    if (url === '/gate') response.setHeader('Sallyport-Gate', 'refused');
    response.writeHead(403).end(words);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const way = { address: '127.0.0.1', port, authority: authority.certificate, account };
  const asking = askByGate(way, 5_000, new AbortController().signal);
  t.after(() => asking.close());
  const refusal = async (path: string): Promise<string | null> =>
    (await asking.ask({ method: 'POST', path, headers: {}, body: Buffer.alloc(0) })).refusal;
  assert.deepEqual([await refusal('/gate'), await refusal('/service')], ['grant', null]);
});
