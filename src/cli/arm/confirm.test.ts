import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { test } from 'node:test';
import { answered } from './confirm.ts';

const typed = (keys: string): Promise<string> => {
  const input = new PassThrough();
  const ask = createInterface({ input, output: new PassThrough(), terminal: true });
  const answer = answered(ask, 'Delete it? ', new AbortController().signal);
  input.write(keys);
  return answer;
};

test('what is typed at a question is its answer; Ctrl-C and Ctrl-D are none', async () => {
  assert.equal(await typed('yes\r'), 'yes');
  assert.equal(await typed('\u0003'), '');
  assert.equal(await typed('\u0004'), '');
});
