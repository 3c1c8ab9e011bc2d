import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTyped, nextAsTyped } from './typed.ts';
import { terminalWidth } from './width.ts';

const clone = { SALLYPORT_CALLED: './sallyport' };

test('a command that a text names can be copied as it is, in a clone too', () => {
  assert.equal(asTyped('Next: sallyport up', clone), 'Next: ./sallyport up');
  assert.equal(asTyped('eval "$(sallyport env)"', clone), 'eval "$(./sallyport env)"');
  assert.equal(asTyped('Next: sallyport up', {}), 'Next: sallyport up');
});

test('what only looks like it stays: paths, resource names, the project', () => {
  for (const text of [
    'Sallyport is up',
    '/opt/sallyport bin',
    './sallyport up',
    'sallyport-managed x',
    'sallyport.db is',
  ])
    assert.equal(asTyped(text, clone), text);
});

test('data before the next command is left as it is', () => {
  assert.equal(
    nextAsTyped('a row: sallyport up\nNext: sallyport status\n  sallyport down', clone),
    'a row: sallyport up\nNext: ./sallyport status\n  ./sallyport down',
  );
});

test('a terminal that calls itself 0 columns wide is taken for one of 80', () => {
  assert.equal(terminalWidth({}, [0, undefined]), 80);
  assert.equal(terminalWidth({}, [0, 100]), 100);
  assert.equal(terminalWidth({ COLUMNS: '70' }, [100]), 70);
  assert.equal(terminalWidth({ COLUMNS: 'x' }, [300]), 120);
  assert.equal(terminalWidth({}, [7]), 40);
});
