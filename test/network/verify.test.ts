import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verify } from '../../src/fabric/verify/verify.ts';
import type { VerifyResult } from '../../src/fabric/verify/result.ts';
import type { VerifyWorld } from '../../src/fabric/verify/world.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { exec } from '../../src/lib/exec.ts';
import { createLog } from '../../src/lib/log.ts';
import { openSmallCloud, type SmallCloud } from './small-cloud.ts';

let cloud: SmallCloud;
before(async () => {
  cloud = await openSmallCloud({ gate: true });
});
after(async () => {
  await cloud?.close();
});

const run = (world: VerifyWorld = cloud.world): Promise<VerifyResult> =>
  verify(world, {
    network: null,
    clock: systemClock,
    log: createLog({}, { level: 'warn' }),
    signal: AbortSignal.timeout(60_000),
  });

/** What there is to say of a result that is not the one that was meant. */
const said = (result: VerifyResult): string =>
  [
    ...result.summary,
    ...result.controls.filter((c) => !c.seen).map((c) => `control: ${c.what} from ${c.from}: ${c.evidence}`),
    ...result.tries
      .filter((t) => t.outcome !== 'stopped')
      .map((t) => `${t.machine} ${t.as} ${t.rules}: ${t.what} to ${t.towards}: ${t.outcome}: ${t.evidence}`),
  ].join('\n');

const leaks = (result: VerifyResult) => result.tries.filter((t) => t.outcome === 'leaked');

test('nothing gets out of a node behind both walls, and that is proved', async (t) => {
  const result = await run();
  assert.equal(result.verdict, 'proved', said(result));
  const walls = new Set(result.tries.map((t) => t.wall));
  for (const wall of ["node's door", 'platform policy', 'no capability', 'namespace', "operator's door"])
    assert.ok(walls.has(wall as never), `no try was stopped by ${wall}`);
  for (const as of ['root', 'cassandra'])
    for (const rules of ['in force', 'flushed'])
      assert.ok(result.tries.some((t) => t.as === as && t.rules === rules));
  assert.ok(result.seconds < 60, `it took ${result.seconds} s`);
  const byGate = result.tries.filter(({ what }) => what.startsWith('by the gate'));
  t.diagnostic(`${result.tries.length} tries, ${byGate.length} by the gate, ${result.seconds} s`);
  const places = byGate.map((one) => `${one.machine} ${one.as} ${one.rules}`);
  assert.equal(new Set(places).size, 12, 'two nodes and their operator, as two identities, in two states');
  for (const what of ['domain fronting', 'CONNECT', 'HTTP/2', 'smuggled', 'two Hosts', 'no name', 'TLS 1.2'])
    assert.ok(
      byGate.some((one) => one.what.includes(what) && one.wall === 'gate'),
      what,
    );
});

test('a hole for DNS in the platform policy is found, with the rules flushed', async () => {
  await cloud.router('add rule inet platform extra iifname "v0" udp dport 53 accept');
  try {
    const result = await run({ ...cloud.world, gates: [] });
    assert.equal(result.verdict, 'leak', said(result));
    assert.deepEqual(
      [...new Set(leaks(result).map((t) => `${t.machine} ${t.rules} ${t.what}`))],
      ['node-1 flushed DNS over UDP'],
      said(result),
    );
    assert.match(result.summary[0], /^LEAK/);
  } finally {
    await cloud.router('flush chain inet platform extra');
  }
});

test('what the gate lets through though no policy names it is found, and so is a way round it', async () => {
  const { let: lets } = cloud.gate!;
  await cloud.router('add rule inet platform extra iifname "v3" oifname "v6" tcp dport 10443 accept');
  await lets('logs', 'evil');
  try {
    const found = leaks(await run());
    const by = (what: string): readonly string[] => [
      ...new Set(found.filter((one) => one.what === what).map((one) => one.evidence)),
    ];
    assert.deepEqual(by("by the gate: another account's name"), ['a service answered: 200']);
    assert.deepEqual(by('by the gate: domain fronting'), [
      'the gate itself began a connection to that account, which nobody may reach',
    ]);
    assert.deepEqual(
      [...new Set(found.filter(({ what }) => what === 'TCP').map((one) => `${one.machine} ${one.rules}`))],
      ['operator flushed'],
    );
  } finally {
    await lets('logs');
    await cloud.router('flush chain inet platform extra');
  }
});

test('a machine whose processes may speak past every network namespace is found', async (t) => {
  const opens = await exec('perl', ['-e', "print socket(my $s, 40, 1, 0) ? 'yes' : 'no'"]);
  if (opens.stdout !== 'yes') return t.skip('this kernel has no AF_VSOCK');
  const result = await run({ ...cloud.unfiltered, gates: [] });
  assert.equal(result.verdict, 'leak', said(result));
  assert.deepEqual([...new Set(leaks(result).map((each) => each.what))], ['AF_VSOCK'], said(result));
});

test('a recorder that is dead, or blind, proves nothing', async () => {
  const with_ = (read: () => Promise<[]>): VerifyWorld => ({
    ...cloud.world,
    gates: [],
    recorders: cloud.world.recorders.map((r) => (r.place === 'internet' ? { ...r, read } : r)),
  });
  const dead = await run(with_(() => Promise.reject(new Error('it is gone'))));
  assert.equal(dead.verdict, 'not proved', said(dead));
  const blind = await run(with_(() => Promise.resolve([])));
  assert.equal(blind.verdict, 'not proved', said(blind));
  assert.equal(blind.tries.filter((t) => t.what === 'UDP' && t.outcome === 'stopped').length, 0);
});
