import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { remembered } from './remembered.ts';

test('a text is computed once while it is kept, and never kept beyond the bounds', () => {
  const computed: string[] = [];
  const length = remembered((text) => (computed.push(text), text.length), { most: 2, longest: 5 });
  for (const text of ['a', 'bb', 'a', 'too long', 'too long', 'ccc', 'a'])
    assert.equal(length(text), text.length);
  assert.deepEqual(computed, ['a', 'bb', 'too long', 'too long', 'ccc', 'a']);
});

test('a part of a long text is kept without the rest of it', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const first = remembered((text) => text.split('/')[0]!);
  const held = (): number => (collect(), process.memoryUsage().heapUsed);
  const before = held();
  for (let at = 0; at < 2_000; at++) {
    const long = Buffer.from(`the path of the request ${at}/resource?${'x'.repeat(15_000)}`).toString(
      'latin1',
    );
    assert.equal(first(long.split('?')[0]!), `the path of the request ${at}`);
  }
  assert.ok(held() - before < 5e6, `${Math.round((held() - before) / 1e6)} MB`);
  assert.equal(first('a lone \ud800/b'), 'a lone \ud800');
});
