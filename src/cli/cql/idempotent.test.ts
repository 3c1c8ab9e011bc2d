import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIdempotent } from './idempotent.ts';

test('what comes to the same however often it is done', () => {
  for (const statement of [
    'SELECT count(*) FROM app.t',
    " select * from t where v = '; DROP TABLE t';",
    '/* a note */ SELECT now() FROM system.local -- the end',
    "INSERT INTO app.t (k, v) VALUES (1, 'it''s (kept) IF now()')",
    'insert into "T" (k) values ($$a IF (b)$$) using ttl 60;',
  ])
    assert.ok(isIdempotent(statement), statement);
});

test('what may not be sent twice, or is not known', () => {
  for (const statement of [
    "INSERT INTO t (k, v) VALUES (1, 'a') IF NOT EXISTS",
    'INSERT INTO t (k, v) VALUES (1, now())',
    "INSERT INTO t JSON '{}'",
    'UPDATE t SET n = n + 1 WHERE k = 1',
    'DELETE FROM t WHERE k = 1',
    'BEGIN BATCH INSERT INTO t (k) VALUES (1) APPLY BATCH',
    'CREATE TABLE t (k int PRIMARY KEY)',
    '-- SELECT 1\nUPDATE t SET n = n + 1 WHERE k = 1',
    '',
  ])
    assert.ok(!isIdempotent(statement), statement);
});
