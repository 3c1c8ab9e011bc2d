import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeIntent } from '../exchange/intents/node.ts';
import { openIntentStore } from './intent-store.ts';

test('what is kept of an intent has no secret in it, and opens the door as before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'intent-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'intent.json');
  const services = { port: 443, authority: 'PEM', accounts: ['logs.example'] };
  const logs = { account: 'logs.example', container: 'c', sas: 'sig=secret' };
  const document = {
    name: 'dc1-0',
    work: [{ id: 'w', kind: 'secure-roles', servicePassword: 'secret' }],
    commands: [{ id: 'c', arguments: ['secret'] }],
    services: { ...services, logs },
  } as unknown as NodeIntent;
  const store = await openIntentStore(path);
  await store.take({ revision: 'r', document });
  assert.deepEqual(store.current()!.services!.logs, logs);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /secret/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const later = await openIntentStore(path);
  assert.equal(later.heard(), null);
  assert.deepEqual(later.current()!.services, services);
  await later.take({ revision: 's', document: { name: 'dc1-0' } as NodeIntent });
  assert.equal('services' in JSON.parse(readFileSync(path, 'utf8')), false);
});
