import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ControlJoinFile } from './intents/join.ts';
import { answer, readBody, refuse } from './server.ts';
import { systemClock } from '../lib/clock.ts';
import { writeJson } from '../lib/files.ts';
import { createLog } from '../lib/log.ts';
import { createAuthority, issue, issueOnRequest } from '../lib/x509.ts';
import { linkToControl, readJoinFile } from './control-link.ts';

/** An enrolment port that takes one token once, and an operator's disk with the join file for it. */
async function enrolmentPort(t: TestContext) {
  const now = Date.now();
  const authority = await createAuthority('control authority', { days: 1, now });
  const identity = await issue(authority, {
    commonName: 'control',
    dns: ['control'],
    use: ['server'],
    days: 1,
    now,
  });
  let asked = 0;
  const server = createServer(
    { cert: identity.certificate, key: identity.privateKey },
    (request, response) => {
      void readBody(request, 65_536).then(async (text) => {
        const body = JSON.parse(text) as { readonly token: string; readonly request: string };
        if (asked++ > 0 || body.token !== 'once') return refuse(response, 403, 'TokenSpent', 'It was used.');
        const profile = { commonName: 'op', use: ['client'] as const, days: 1, now };
        const certificate = await issueOnRequest(authority, body.request, profile);
        answer(response, { certificate, authority: authority.certificate });
      });
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const disk = await mkdtemp(join(tmpdir(), 'sallyport-operator-'));
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(disk, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const file: ControlJoinFile = {
    version: 1,
    cluster: 'c',
    control: {
      address: '127.0.0.1',
      port: 1,
      enrolmentPort: port,
      name: 'control',
      authority: authority.certificate,
    },
    token: 'once',
  };
  const joinPath = join(disk, 'operator.json');
  const credentialsPath = join(disk, 'control.json');
  await writeJson(joinPath, file);
  const link = async () =>
    linkToControl({
      join: await readJoinFile(joinPath),
      ...{ joinPath, credentialsPath, enrolmentPort: 8440 },
      ...{ clock: systemClock, log: createLog({}, { level: 'error' }), signal: t.signal },
    });
  return { link, joinPath, credentialsPath, file, asked: () => asked };
}

test('a token that is spent is kept nowhere, and the operator finds its way up without it', async (t) => {
  const port = await enrolmentPort(t);
  const first = await port.link();
  const { token: _, ...kept } = port.file;
  assert.deepEqual(JSON.parse(await readFile(port.joinPath, 'utf8')), kept);
  assert.equal((await stat(port.joinPath)).mode & 0o777, 0o600);
  assert.doesNotMatch(await readFile(port.credentialsPath, 'utf8'), /"once"/);
  assert.deepEqual(await port.link(), first);
  assert.equal(port.asked(), 1);
});

test('a token left by a death between the certificate and its removal is removed at the next start', async (t) => {
  const port = await enrolmentPort(t);
  await port.link();
  await writeJson(port.joinPath, port.file);
  await port.link();
  assert.doesNotMatch(await readFile(port.joinPath, 'utf8'), /token/);
  assert.equal(port.asked(), 1);
});

test('an operator that lost what it got says so, and where to read on', async (t) => {
  const port = await enrolmentPort(t);
  await port.link();
  await rm(port.credentialsPath);
  await assert.rejects(port.link(), { code: 'NoToken', next: /docs\/operate\/lost-operator\.md/ });
  assert.equal(port.asked(), 1);
  await writeJson(port.joinPath, port.file);
  await assert.rejects(port.link(), { code: 'EnrolmentRefused', next: /docs\/operate\/lost-operator\.md/ });
});
