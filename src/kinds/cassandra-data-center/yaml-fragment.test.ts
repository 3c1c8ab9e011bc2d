import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deniedKeys, readYamlFragment } from './yaml-fragment.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');

test('a fragment that only tunes passes as it is', () => {
  assert.equal(readYamlFragment(encode('column_index_size: 16KiB\n')), 'column_index_size: 16KiB\n');
  assert.equal(readYamlFragment('Y29sdW1uX2luZGV4X3NpemVfaW5fa2I6IDE2'), 'column_index_size_in_kb: 16');
  assert.equal(readYamlFragment(''), null);
  assert.equal(readYamlFragment(encode('# nothing\n')), null);
});

test('each denied key is refused by its name', () => {
  for (const key of deniedKeys)
    assert.throws(() => readYamlFragment(encode(`${key}: x`)), new RegExp(`sets ${key},`));
});

test('a key does not come in by another door', () => {
  for (const text of [
    '"authenticator": x',
    '? authenticator\n: x',
    '!!str authenticator: x',
    '{authenticator: x}',
  ]) {
    assert.throws(() => readYamlFragment(encode(text)), /sets authenticator/, text);
  }
  assert.throws(
    () => readYamlFragment(encode('client_encryption_options.enabled: false')),
    /sets client_encryption_options\.enabled/,
  );
  assert.throws(() => readYamlFragment(encode('<<: {authenticator: x}')), /sets <</);
  assert.throws(() => readYamlFragment(encode('a: 1\n---\nauthenticator: x')), /is not YAML/);
  assert.throws(() => readYamlFragment(encode('a: 1\na: 2')), /is not YAML/);
});
