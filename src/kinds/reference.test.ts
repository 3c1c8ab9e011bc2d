import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madePage, madePages, readPage } from './reference.ts';

test('the reference pages say what the properties are', () => {
  for (const page of Object.keys(madePages)) {
    assert.match(readPage(page), /<!-- made by src\/kinds\/reference\.ts -->/, page);
    assert.equal(readPage(page), madePage(page), 'Write it anew: node src/kinds/reference.ts');
  }
});
