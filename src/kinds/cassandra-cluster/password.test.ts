import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPassword, hashPassword, isPassword } from './password.ts';

test('the hash is what Cassandra reads: $2a$, cost 10', () => {
  const hash = hashPassword('pässword');
  assert.match(hash, /^\$2a\$10\$[./A-Za-z0-9]{53}$/);
  assert.equal(isPassword('pässword', hash), true);
  assert.equal(isPassword('password', hash), false);
});

test('72 bytes are carried, 73 are not', () => {
  checkPassword('x'.repeat(72));
  assert.throws(() => checkPassword('x'.repeat(73)), /73 bytes/);
});
