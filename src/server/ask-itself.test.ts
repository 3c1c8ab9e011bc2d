import assert from 'node:assert/strict';
import { createServer, get, type RequestOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, runInThisContext } from 'node:vm';
import { createAuthority, issue } from '../lib/x509.ts';
import { askItself } from './ask-itself.ts';

setFlagsFromString('--expose-gc');
setFlagsFromString('--allow-natives-syntax');
const collect = runInNewContext('gc') as () => void;
const isFast = runInThisContext('(it) => %HasFastProperties(it)') as (it: object) => boolean;

test('a server that has asked itself keeps requests, responses and sockets quick, whenever the memory is swept', async (t) => {
  const now = Date.now();
  const authority = await createAuthority('a test', { days: 1, now });
  const leaf = await issue(authority, {
    commonName: 'localhost',
    dns: ['localhost'],
    use: ['server'],
    days: 1,
    now,
  });
  let last: readonly [IncomingMessage, ServerResponse] | undefined;
  const server = createServer({ key: leaf.privateKey, cert: leaf.certificate }, (asked, answer) => {
    last = [asked, answer];
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const lone = (options: RequestOptions = {}): Promise<void> =>
    new Promise((resolve, reject) => {
      const all = { host: 'localhost', family: 4, port, ca: authority.certificate, agent: false, ...options };
      get(all, (answer) => void answer.resume().on('end', resolve)).on('error', reject);
    });

  await askItself(port, authority.certificate);
  for (let sign = 0; sign < 6; sign++) await lone();
  last = undefined;
  collect();
  collect();
  await lone();
  const [asked, answer] = last as unknown as readonly [IncomingMessage, ServerResponse];
  assert.deepEqual([asked, answer, asked.socket].map(isFast), [true, true, true]);
});

test('one whose certificate is of another authority is found out', async (t) => {
  const now = Date.now();
  const [authority, other] = await Promise.all(
    ['one', 'other'].map((name) => createAuthority(name, { days: 1, now })),
  );
  const leaf = await issue(authority!, {
    commonName: 'localhost',
    dns: ['localhost'],
    use: ['server'],
    days: 1,
    now,
  });
  const server = createServer({ key: leaf.privateKey, cert: leaf.certificate }, (_asked, answer) =>
    answer.end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  await assert.rejects(askItself((server.address() as AddressInfo).port, other!.certificate), {
    code: /UNABLE_TO_VERIFY|SELF_SIGNED/,
  });
});
