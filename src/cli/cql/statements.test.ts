import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitStatements } from './statements.ts';

test('statements end at semicolons that are none in a string, a name, a comment or a body', () => {
  assert.deepEqual(
    splitStatements('SELECT 1; SELECT \';\' FROM "a;b" -- c;d\n; /* e;f */ INSERT $$g;h$$;;'),
    ['SELECT 1', 'SELECT \';\' FROM "a;b" -- c;d', '/* e;f */ INSERT $$g;h$$'],
  );
  assert.deepEqual(splitStatements("VALUES ('it''s; fine')"), ["VALUES ('it''s; fine')"]);
});
