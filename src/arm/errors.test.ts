import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { armErrors } from './errors.ts';

test('docs/reference/errors.md has each error as the catalogue has it, and no other', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.+) \|$/gm)].map(([, code, status, next]) => [
    code,
    Number(status),
    next,
  ]);
  assert.deepEqual(
    rows,
    Object.entries(armErrors).map(([code, { status, next }]) => [code, status, next]),
  );
});
