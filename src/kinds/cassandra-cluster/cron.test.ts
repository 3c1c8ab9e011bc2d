import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronFlaw } from './cron.ts';

test('what cron takes', () => {
  for (const text of [
    '0 2 * * *',
    '*/15 0-6 1,15 jan-mar MON',
    '0 0 * * 7',
    '5-59/10 23 31 12 0-6/2',
    '  0  2 * *  * ',
  ]) {
    assert.equal(cronFlaw(text), undefined, text);
  }
});

test('what it does not take, with the field that is wrong', () => {
  for (const [text, flaw] of [
    ['', /has 0 fields/],
    ['0 2 * *', /has 4 fields/],
    ['0 2 * * * *', /has 6 fields/],
    ['@daily', /has 1 fields/],
    ['60 2 * * *', /for the minute.*0 to 59/],
    ['0 24 * * *', /for the hour/],
    ['0 2 0 * *', /day of the month/],
    ['0 2 * 13 *', /for the month/],
    ['0 2 * * 8', /day of the week/],
    ['0 5-2 * * *', /for the hour/],
    ['*/0 * * * *', /for the minute/],
    ['1-2-3 * * * *', /for the minute/],
    ['1, * * * *', /for the minute/],
    ['-1 * * * *', /for the minute/],
  ] as const) {
    assert.match(cronFlaw(text) ?? 'nothing', flaw, text);
  }
});
