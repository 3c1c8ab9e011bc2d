import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containsAddress, formatPrefix, ipv4ToNumber, numberToIpv4, sizeOf } from '../lib/ip.ts';
import { checkStatic, firstUsable, highestFree, lastUsable, lowestFree } from './addresses.ts';

const prefixes = fc
  .record({ length: fc.integer({ min: 22, max: 29 }), block: fc.nat(1000) })
  .map(({ length, block }) => ({ first: ipv4ToNumber('10.0.0.0') + block * 2 ** (32 - length), length }));

test('what is chosen is free, usable, and would have been accepted as a static address', () => {
  fc.assert(
    fc.property(
      prefixes,
      fc.array(fc.nat(1024), { maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (prefix, offsets, count) => {
        const taken = new Map(
          offsets.map((offset) => [numberToIpv4(prefix.first + (offset % sizeOf(prefix))), 'somebody']),
        );
        const chosen = lowestFree(prefix, taken, count);
        const highest = highestFree(prefix, taken);
        assert.equal(new Set(chosen).size, chosen.length);
        for (const address of [...chosen, ...(highest ? [highest] : [])]) {
          assert.ok(containsAddress(prefix, address));
          assert.equal(checkStatic('x', address, formatPrefix(prefix), prefix, taken), address);
        }
        const usable = lastUsable(prefix) - firstUsable(prefix) + 1;
        const free =
          usable -
          [...taken.keys()].filter((address) => {
            const value = ipv4ToNumber(address);
            return value >= firstUsable(prefix) && value <= lastUsable(prefix);
          }).length;
        assert.equal(chosen.length, Math.min(count, free));
      },
    ),
  );
});
