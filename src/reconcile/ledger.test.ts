import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLedger, type Ledger } from './ledger.ts';

/** A ledger over a few numbers, which says whom it told. */
function create(): {
  readonly ledger: Ledger;
  readonly value: (name: string) => number;
  readonly set: (name: string, value: number) => void;
  readonly told: () => string[];
} {
  const values = new Map<string, number>();
  const heard: string[] = [];
  const ledger = createLedger((piece) => heard.push(piece));
  return {
    ledger,
    value(name) {
      ledger.reads(name);
      return values.get(name) ?? 0;
    },
    set(name, value) {
      values.set(name, value);
      ledger.changed(name);
    },
    told: () => heard.splice(0),
  };
}

test('a change leads to those who read it the last time, and to no other', () => {
  const { ledger, value, set, told } = create();
  ledger.run('sum', () => value('a') + value('b'));
  ledger.run('other', () => value('c'));
  set('b', 1);
  assert.deepEqual(told(), ['sum']);
  ledger.run('sum', () => value('a'));
  set('b', 2);
  assert.deepEqual(told(), []);
  ledger.forget('sum');
  set('a', 1);
  assert.deepEqual(told(), []);
  value('a');
  set('a', 2);
  assert.deepEqual(told(), [], 'who reads outside of any piece is nobody');
});

test('who read a thing and changes it has to look once more', () => {
  const { ledger, value, set, told } = create();
  ledger.run('counter', () => set('a', value('a') + 1));
  assert.deepEqual(told(), ['counter']);
});

test('a piece that breaks has read what it read', () => {
  const { ledger, value, set, told } = create();
  assert.throws(() => ledger.run('sum', () => assert.fail(String(value('a')))));
  set('a', 1);
  assert.deepEqual(told(), ['sum']);
});

test('a memo is made once for each change, and what was made of it falls with it', () => {
  const { ledger, value, set, told } = create();
  let made = 0;
  const doubled = (): number => ledger.memo('doubled', () => (made++, 2 * value('a')));
  const more = (): number => ledger.memo('more', () => doubled() + value('b'));
  const seen = (): number => ledger.run('seen', more);
  set('a', 1);
  assert.deepEqual([seen(), seen(), made], [2, 2, 1]);
  set('b', 1);
  assert.deepEqual(told(), ['seen', 'more']);
  assert.deepEqual([seen(), made], [3, 1]);
  set('a', 2);
  assert.deepEqual(told(), ['seen', 'more', 'doubled']);
  assert.deepEqual([seen(), made], [5, 2]);
});
