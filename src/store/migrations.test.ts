import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { migrations } from './migrations.ts';
import { openStore } from './store.ts';

test('a state of version 0.1 is taken over: whoever could sign in still can', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-migrate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'sallyport.db');
  const old = new DatabaseSync(path);
  old.exec(`${migrations[0]!}; pragma user_version = 1`);
  old.exec(
    "insert into principals values ('app', 'object', 'Customer', 'scrypt$hash', '2026-11-24T10:00:00Z')",
  );
  old.exec(
    "insert into role_assignments values ('r', 'app', 'Owner', '/subscriptions/s', '2026-11-24T10:00:00Z')",
  );
  old.close();
  const store = openStore({ path, masterKey: randomBytes(32), clock: systemClock });
  t.after(() => store.close());
  assert.deepEqual(store.principals.find('OBJECT'), {
    clientId: 'app',
    objectId: 'object',
    displayName: 'Customer',
  });
  assert.deepEqual(
    store.credentials.live('app').map(({ name, kind, value }) => [name, kind, value]),
    [['first', 'secret', 'scrypt$hash']],
  );
  assert.equal(store.principals.assignments('app').length, 1);
});

test('operations of a state without answers are taken over as they are', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-migrate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'sallyport.db');
  const old = new DatabaseSync(path);
  old.exec(`${migrations.slice(0, 2).join(';')}; pragma user_version = 2`);
  old.exec(
    "insert into operations values ('o', '/r', '/r', 't', 's', 'eastus2', 'PUT', 1, 1, 'Running', null, 'app', '2026-11-24T10:00:00Z', null)",
  );
  old.close();
  const store = openStore({ path, masterKey: randomBytes(32), clock: systemClock });
  t.after(() => store.close());
  assert.equal(store.operations.running('/r')?.id, 'o');
  assert.equal(store.operations.get('o')?.answer, null);
});

test('each subscription keeps its share of the activity log, and refusals push out nothing but refusals', (t) => {
  const store = openStore({ path: ':memory:', masterKey: randomBytes(32), clock: systemClock });
  t.after(() => store.close());
  const line = (subscriptionId: string, refused: boolean) => ({
    subscriptionId,
    resourceGroup: null,
    resourceId: `/subscriptions/${subscriptionId}`,
    caller: 'c',
    callerName: 'c',
    operation: 'a/write',
    status: 'Failed' as const,
    refused,
    httpStatus: 403,
    code: null,
    message: null,
    correlationId: 'x',
  });
  const count = (subscriptionId: string): number =>
    store.activity.find({ subscriptionId, from: '0', to: '9', limit: 10_000 }).length;
  store.transaction(() => {
    store.activity.add(line('s1', false));
    store.activity.add(line('s2', true));
    for (let n = 0; n < 1_100; n++) store.activity.add(line('s1', true));
  });
  assert.deepEqual([count('s1'), count('s2')], [1_001, 1]);
});
