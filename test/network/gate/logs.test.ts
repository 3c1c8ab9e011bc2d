/** A node's logs on their way: a real relay, a real gate, an account that fails in every way it can; each byte arrives once. */
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { systemClock, until } from '../../../src/lib/clock.ts';
import type { Notes } from '../../../src/node/logs/ship.ts';
import { startAccount } from '../../harness/gate.ts';
import { playBlobs } from '../../harness/log-store.ts';
import { logWorld } from '../../harness/log-world.ts';

const name = 'logs.blob.core.windows.net';
const container = 'cassandra';
const secret = 'c2VjcmV0LXNpZ25hdHVyZQ==';
const sas = `sv=2021-12-02&sp=ac&sr=c&sig=${encodeURIComponent(secret)}`;

async function world(t: TestContext) {
  const blobs = playBlobs(container, secret);
  const account = await startAccount(t, name, { answer: (asked, response) => blobs.answer(asked, response) });
  const node = await logWorld(t, {
    account,
    name,
    container,
    sas: () => sas,
    text: (log) => blobs.text(log),
  });
  return { ...node, blobs, account };
}

test(
  'what is written arrives, whole lines in a blob of the day, over rotations of both kinds',
  { timeout: 60_000 },
  async (t) => {
    const node = await world(t);
    node.write(10);
    writeFileSync(node.files.node, `{"message":"one ${'o'.repeat(300)}"}\n`);
    await node.start();
    await node.arrived();
    const day = new Date().toISOString().slice(0, 10);
    await until('both logs', () => node.blobs.blobs.size === 2 || undefined, { timeoutMs: 10_000 });
    assert.deepEqual(
      [...node.blobs.blobs.keys()].sort(),
      ['node.log', 'system.log'].map((log) => `/${container}/c1/dc1/dc1-0/${day}/${log}`),
    );
    node.write(3);
    node.rotate();
    node.write(3);
    await node.arrived();
    const own = readFileSync(node.files.node, 'utf8');
    appendFileSync(node.files.node, '{"message":"two"}\n');
    copyFileSync(node.files.node, `${node.files.node}.1`);
    truncateSync(node.files.node);
    appendFileSync(node.files.node, '{"message":"three"}\nhalf a li');
    const said = `${own}{"message":"two"}\n{"message":"three"}\n`;
    await until('the agent’s own log', () => node.blobs.text('node.log') === said || undefined, {
      timeoutMs: 10_000,
    });
    assert.ok(Date.parse(node.report().sentThrough!) > Date.now() - 60_000);
  },
);

test(
  'down, slow, full, refused, with a wrong certificate, or not the gate: it waits, says why, and catches up',
  { timeout: 120_000 },
  async (t) => {
    const node = await world(t);
    node.write(5);
    node.blobs.mood = () => 'lost';
    await node.start();
    await node.waits(/doesn't take it now/);
    node.blobs.mood = () => 'well';
    await node.arrived();
    for (const [mood, why] of [
      ['broken', /doesn't take it now \(50[23]\)/],
      ['slow', /too slow: no whole answer within 1 s/],
      ['full', /has no room \(507\)/],
      ['refusing', /refuses the signature \(403 AuthenticationFailed\): has it run out/],
      ['lost', /doesn't take it now \(50[23]\)/],
    ] as const) {
      await t.test(mood, async () => {
        node.blobs.mood = () => mood;
        node.write(5);
        await node.waits(why);
        node.write(5);
        node.blobs.mood = () => 'well';
        await node.arrived();
      });
    }
    await t.test('an account that bears another name', async () => {
      const other = await startAccount(t, name, { bearing: 'evil.blob.core.windows.net' });
      await node.allow(other);
      node.write(5);
      await node.waits(/doesn't take it now \(503\)/);
      assert.equal(other.seen.length, 0);
      await node.allow(node.account);
      await node.arrived();
    });
    await t.test('a gate that is another', async () => {
      await node.relay.ensure({
        listen: node.listen,
        gate: { address: '127.0.0.1', port: node.account.port },
      });
      const before = node.account.seen.length;
      node.write(5);
      await node.waits(/can't prove to be the cluster's gate \((UNABLE_TO_VERIFY|SELF_SIGNED)/);
      assert.equal(node.account.seen.length, before);
      await node.relay.ensure({ listen: node.listen, gate: node.place });
      await node.arrived();
    });
    await t.test('no way there', async () => {
      await node.relay.ensure(undefined);
      node.write(5);
      await node.waits(/can't be reached by the operator \(ECONNREFUSED\)/);
      await node.relay.ensure({ listen: node.listen, gate: node.place });
      await node.arrived();
    });
    assert.equal([...node.blobs.blobs.keys()].filter((path) => path.includes('system.log')).length, 1);
    // The right to write is nowhere but in what is said to the account.
    const said = [...node.lines, readFileSync(node.files.notes, 'utf8'), JSON.stringify(node.report())].join(
      '',
    );
    assert.equal(said.includes(secret) || said.includes(encodeURIComponent(secret)), false);
    assert.equal(statSync(node.files.notes).mode & 0o777, 0o600);
  },
);

test(
  'an agent that dies between sending and hearing, and a log that is rotated meanwhile, double nothing',
  { timeout: 60_000 },
  async (t) => {
    const node = await world(t);
    await node.start();
    for (let turn = 0; turn < 6; turn++) {
      const before = node.blobs.blocks();
      node.blobs.mood = (asked) => (asked.url?.includes('appendblock') ? 'slow' : 'well');
      node.write(20);
      await until('a block to be there, unanswered', () => node.blobs.blocks() > before || undefined, {
        timeoutMs: 10_000,
        everyMs: 2,
      });
      await node.stop();
      if (turn % 2 === 1) node.rotate();
      node.write(20);
      node.blobs.mood = () => 'well';
      await node.start();
      await node.arrived();
    }
    assert.equal(node.blobs.blobs.size, 1);
  },
);

test('whatever fails, in whatever order: each byte once', { timeout: 120_000 }, async (t) => {
  const node = await world(t);
  let seed = 20_261_124;
  t.diagnostic(`seed ${seed}`);
  const draw = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const moods = ['well', 'well', 'well', 'lost', 'broken', 'full', 'lost', 'refusing'] as const;
  node.blobs.mood = () => moods[draw(moods.length)]!;
  await node.start();
  for (let turn = 0; turn < 40; turn++) {
    // Some are larger than a block.
    node.write(1 + draw(4_000), 10 + draw(300));
    await systemClock.sleep(draw(40));
    if (draw(3) === 0) {
      await node.stop();
      await node.start();
    }
    // So many files are kept: what is not sent by then is lost, and that is another test.
    if (draw(10) === 0 && node.blobs.text('system.log').length > node.written().length - 1_000_000)
      node.rotate();
  }
  node.blobs.mood = () => 'well';
  await node.arrived();
});

test(
  'blobs of somebody else are left alone, a new day is a new blob, and a link is not followed',
  { timeout: 60_000 },
  async (t) => {
    const node = await world(t);
    let now = Date.parse('2026-11-24T23:59:00Z');
    const path = (day: string, log = 'system.log'): string => `/${container}/c1/dc1/dc1-0/${day}/${log}`;
    const { blobs: taken } = node.blobs;
    taken.set(path('2026-11-24'), Buffer.from(''));
    symlinkSync('/etc/hostname', node.files.node);
    node.write(3);
    await node.start({ now: () => now });
    await node.arrived();
    assert.equal(taken.get(path('2026-11-24'))!.length, 0);
    assert.equal(taken.get(path('2026-11-24', 'system.log.2'))!.toString(), node.written());
    now = Date.parse('2026-11-25T00:01:00Z');
    node.write(3);
    await node.arrived();
    assert.ok(taken.has(path('2026-11-25')));
    // Somebody writes into it, which is no repeat of ours; somebody takes it away.
    const ours = node.written().length;
    taken.set(path('2026-11-25'), Buffer.from('not ours'));
    node.write(3);
    const goesOn = async (number: number, text: string): Promise<string> =>
      until(
        'it to go on in another',
        () => {
          const is = taken.get(path('2026-11-25', `system.log.${number}`))?.toString();
          return is === text ? is : undefined;
        },
        { timeoutMs: 10_000 },
      );
    await goesOn(2, node.written().slice(ours));
    taken.delete(path('2026-11-25', 'system.log.2'));
    const then = node.written().length;
    node.write(3);
    await goesOn(3, node.written().slice(then));
    assert.deepEqual(Object.keys((JSON.parse(readFileSync(node.files.notes, 'utf8')) as Notes).logs), [
      'system.log',
    ]);
  },
);
