import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from './nft-stage.ts';
import type { NftTable } from './nft-table.ts';

const table = (rules: number): NftTable => ({
  family: 'inet',
  name: 'router',
  body: [
    '  chain forward { type filter hook forward priority filter; policy drop;',
    '    iifname . ct direction vmap { "m1" . original : jump sg_in, "m1" . reply : jump pair }',
    '  }',
    '  chain sg_in {',
    ...Array.from(
      { length: rules },
      (_, n) => `    ct original ip saddr 10.0.0.${n % 250} return comment "r${n}"`,
    ),
    '    drop',
    '  }',
    '  chain pair {',
    '    jump sg_in',
    '  }',
  ].join('\n'),
});

test('what fits into one transaction is left to it', () => {
  assert.equal(stage(table(100), '', 'g'), undefined);
});

test('chains are filled under new names, and the last transaction leads to them and takes the old ones away', () => {
  const listing = [
    'table inet router {',
    '\tchain forward {',
    '\t\ttype filter hook forward priority filter; policy drop;',
    '\t}',
    '',
    '\tchain sg_in_old {',
    '\t\tdrop',
    '\t}',
    '',
    '\tchain translate {',
    '\t\ttype nat hook postrouting priority srcnat; policy accept;',
    '\t}',
    '}',
  ].join('\n');
  const { prepare, swap, undo } = stage(table(1200), listing, 'g')!;
  assert.ok(prepare.length > 1);
  const lines = prepare.join('').trimEnd().split('\n');
  assert.equal(lines.filter((line) => line.startsWith('add rule inet router sg_in_g ')).length, 1201);
  assert.deepEqual(lines.slice(0, 3), [
    'add table inet router',
    'add chain inet router sg_in_g',
    'add chain inet router pair_g',
  ]);
  assert.ok(lines.includes('add rule inet router pair_g jump sg_in_g'));
  assert.ok(
    lines.every((line) => !/hook|forward|flush|delete/.test(line)),
    'nothing that a packet meets',
  );
  for (const old of ['forward', 'sg_in_old', 'translate'])
    assert.match(swap, new RegExp(`^flush chain inet router ${old}$`, 'm'));
  assert.deepEqual(
    [...swap.matchAll(/^delete chain inet router (\S+)$/gm)].map(([, name]) => name),
    ['sg_in_old', 'translate'],
  );
  assert.match(swap, /chain forward \{ type filter hook forward priority filter; policy drop;/);
  assert.match(swap, /original : jump sg_in_g, "m1" \. reply : jump pair_g/);
  assert.equal(undo.match(/delete chain/g)?.length, 2);
});
