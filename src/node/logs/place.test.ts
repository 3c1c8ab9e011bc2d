import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headLength, nextToRead, placeAt, wholeLines, type Found, type Reading } from './place.ts';

const found = (texts: readonly string[]): Found[] =>
  texts.map((text, at) => ({
    name: at === 0 ? 'a.log' : `a.log.${at}`,
    rotated: at > 0,
    size: text.length,
    head: Buffer.from(text).subarray(0, headLength),
  }));

/** Reads all there is to read, as the shipper does. */
function readOn(
  texts: readonly string[],
  reading: Reading,
): { read: string; reading: Reading; lost: boolean } {
  let [read, now, lost] = ['', reading, false];
  for (;;) {
    const next = nextToRead(found(texts), now);
    lost ||= next?.lost === true;
    if (!next) return { read, reading: now, lost };
    const text = texts[found(texts).findIndex(({ name }) => name === next.file.name)]!;
    read += text.slice(next.from);
    now = { place: placeAt(next.file.head, text.length), done: next.done };
  }
}
/** More than a head. */
const long = `${'a line of what begins alike\n'.repeat(20)}`;
const start: Reading = { place: null, done: [] };

test('from the oldest file to the newest, and on where it grows', () => {
  const first = readOn(['new\n', 'older\n', 'oldest\n'], start);
  assert.equal(first.read, 'oldest\nolder\nnew\n');
  assert.equal(readOn(['new\n', 'older\n', 'oldest\n'], first.reading).read, '');
  assert.equal(readOn(['new\nmore\n', 'older\n', 'oldest\n'], first.reading).read, 'more\n');
});

test('renamed while it was read: its rest comes first', () => {
  const { reading } = readOn(['one\n'], start);
  const after = readOn(['two\n', 'one\nrest\n'], reading);
  assert.deepEqual([after.read, after.lost], ['rest\ntwo\n', false]);
  assert.equal(readOn(['three\n', 'two\n', 'one\nrest\n'], after.reading).read, 'three\n');
});

test('copied and emptied: the rest of the copy, then the new one; a copy that came too early doubles nothing', () => {
  const { reading } = readOn(['one\n'], start);
  assert.equal(readOn(['', 'one\nrest\n'], reading).read, 'rest\n');
  const early = readOn([`${long}rest\n`], start).reading;
  assert.equal(readOn(['two\n', long], early).read, 'two\n');
  assert.equal(readOn(['', long], early).read, '');
});

test('rotated away before it was read, or emptied: the rest is lost, what was sent is not sent again', () => {
  const { reading } = readOn(['one\n', 'zero\n'], start);
  const gone = readOn(['four\n', 'three\n'], reading);
  assert.deepEqual([gone.read, gone.lost], ['three\nfour\n', true]);
  const emptied = readOn(['two\n', 'zero\n'], reading);
  assert.deepEqual([emptied.read, emptied.lost], ['two\n', true]);
  const shorter = readOn([long], readOn([`${long}rest\n`], start).reading);
  assert.deepEqual([shorter.read, shorter.lost], ['', true]);
  assert.equal(readOn([`${long}new\n`], shorter.reading).read, 'new\n');
});

test('whatever is written and however it is rotated, each byte is read once, in order, while files are kept', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), lines: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constantFrom('rename' as const, 'copy' as const, 'read' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let [texts, written, read, line, unread] = [[''] as string[], '', '', 0, 0];
      let reading = start;
      for (const one of [...steps, { do: 'read' as const }]) {
        if (one.do === 'write')
          for (let n = 0; n < one.lines; n++) {
            const text = `${++line} a line of a log, each with a number of its own\n`;
            texts[0] += text;
            written += text;
          }
        // So many are kept; more rotations in between would lose some.
        else if (one.do !== 'read' && texts[0] !== '' && ++unread <= 4) texts = ['', ...texts].slice(0, 5);
        else if (one.do === 'read') {
          const said = readOn(texts, reading);
          assert.equal(said.lost, false);
          read += said.read;
          reading = said.reading;
          unread = 0;
        }
      }
      assert.equal(read, written);
    }),
  );
});

test('lines are sent whole, but for one that is longer than a block, or has no end any more', () => {
  const cut = (text: string, isFull: boolean, isLast: boolean): number =>
    wholeLines(Buffer.from(text), isFull, isLast);
  assert.equal(cut('one\ntw', false, false), 4);
  assert.equal(cut('tw', false, false), 0);
  assert.equal(cut('tw', false, true), 2);
  assert.equal(cut('one\ntw', true, true), 4);
  assert.equal(cut('long', true, false), 4);
});
