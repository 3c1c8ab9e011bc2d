import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remembered } from './remembered.ts';

test('a text is computed once while it is kept, and never kept beyond the bounds', () => {
  const computed: string[] = [];
  const length = remembered((text) => (computed.push(text), text.length), { most: 2, longest: 5 });
  for (const text of ['a', 'bb', 'a', 'too long', 'too long', 'ccc', 'a'])
    assert.equal(length(text), text.length);
  assert.deepEqual(computed, ['a', 'bb', 'too long', 'too long', 'ccc', 'a']);
});
