import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createServer, connect } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createAuthority, createRequest, fingerprint, issue, issueOnRequest } from './x509.ts';

const now = Date.now();

test('an authority issues on a request, and the names are the issuer’s decision', async () => {
  const authority = await createAuthority('ring', { days: 10, now });
  const { request, privateKey } = await createRequest('i-want-to-be-root');
  const text = await issueOnRequest(authority, request, {
    commonName: 'node-1',
    uri: ['spiffe://sallyport/c1/node'],
    ip: ['10.0.2.4'],
    use: ['server', 'client'],
    days: 5,
    now,
  });
  const certificate = new X509Certificate(text);
  assert.equal(certificate.subject, 'CN=node-1');
  assert.match(certificate.subjectAltName ?? '', /spiffe:\/\/sallyport\/c1\/node/);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(privateKey)));
  assert.ok(certificate.verify(new X509Certificate(authority.certificate).publicKey));
  assert.equal((await fingerprint(authority.certificate)).length, 64);
});

test('mutual TLS holds between what one authority issued, and fails for another’s', async (t) => {
  const authority = await createAuthority('exchange', { days: 10, now });
  const other = await createAuthority('exchange', { days: 10, now });
  const server = await issue(authority, {
    commonName: 'operator',
    dns: ['operator'],
    use: ['server'],
    days: 5,
    now,
  });
  const client = await issue(authority, { commonName: 'node-1', use: ['client'], days: 5, now });
  const stranger = await issue(other, { commonName: 'node-1', use: ['client'], days: 5, now });
  const listener = createServer(
    {
      cert: server.certificate,
      key: server.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
  ).listen(0, '127.0.0.1');
  t.after(() => listener.close());
  await once(listener, 'listening');
  const ask = async (who: { certificate: string; privateKey: string }): Promise<string> => {
    const socket = connect({
      port: (listener.address() as AddressInfo).port,
      host: '127.0.0.1',
      servername: 'operator',
      ca: authority.certificate,
      cert: who.certificate,
      key: who.privateKey,
    });
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  assert.equal(await ask(client), 'node-1');
  const refused = once(listener, 'tlsClientError');
  // In TLS 1.3 a client learns of the refusal only with its first read: it may see a reset or an early end.
  assert.notEqual(await ask(stranger).catch(() => 'refused'), 'node-1');
  await refused;
});
