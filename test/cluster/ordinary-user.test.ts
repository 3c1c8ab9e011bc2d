/** The same quickstart for somebody who isn't root: nothing of it needs a privilege of the host. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../src/lib/clock.ts';
import { createStack } from '../harness/stack.ts';

const uid = 61_000;

test(
  'an ordinary user gets the whole, proved, and `down --purge` leaves nothing of it',
  { timeout: 10 * 60_000, skip: process.getuid?.() !== 0 && 'becomes another user, which takes root' },
  async (t) => {
    const stack = await createStack({ uid });
    t.after(() => stack[Symbol.asyncDispose]());
    const ran = await stack.run(['quickstart'], { timeoutMs: 300_000 });
    assert.equal(ran.exitCode, 0, `${ran.stdout}\n${ran.stderr}`);
    assert.match(
      ran.stdout,
      /Proved: \d+ tries to get out from 3 nodes and their operator, none did but by\s+the door/,
    );
    const inside = await stack.run(['connect', '--', 'sh', '-c', 'ip -4 -o address show dev eth0']);
    assert.match(inside.stdout, /10\.0\.3\./, inside.stderr);
    const purged = await stack.run(['down', '--purge', '--yes'], { timeoutMs: 120_000 });
    assert.equal(purged.exitCode, 0, purged.stderr);
    // A killed process is listed until its parent has taken notice of its end.
    await until('the last process to end', () => ofUser().length === 0 || undefined, {
      timeoutMs: 5_000,
    }).catch(() => assert.deepEqual(ofUser(), [], 'no process is left'));
  },
);

const ofUser = (): readonly string[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && statSync(`/proc/${pid}`).uid === uid
        ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`]
        : [];
    } catch {
      return []; // it ended between being listed and being read
    }
  });
