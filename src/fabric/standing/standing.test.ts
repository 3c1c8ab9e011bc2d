import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricIntent, FabricMachine, Probe, ProbeResult } from '../../exchange/intents/fabric.ts';
import { revise } from '../../exchange/revision.ts';
import type { Clock } from '../../lib/clock.ts';
import { createLog } from '../../lib/log.ts';
import { shallArrive } from '../../network/probes.ts';
import { wallsOfIntent } from '../../network/walls.ts';
import { standingProbes } from './pairs.ts';
import { createStanding } from './reconcile.ts';

const machine = (
  id: string,
  kind: FabricMachine['kind'],
  network: string,
  address: string,
  allow: FabricMachine['allow'] = null,
): FabricMachine => ({ id, kind, hostname: id, network, subnet: 's', address, allow, seed: {} });
const customer = (n: number, peers: readonly number[] = []) => ({
  id: `net-${n}`,
  label: `net-${n}`,
  prefixes: [`10.${n}.0.0/16`],
  subnets: [{ name: 's', prefix: `10.${n}.1.0/24` }],
  peerings: peers.map((peer) => ({ network: `net-${peer}`, access: true })),
  internet: true,
});
const inhabitants = (n: number): readonly FabricMachine[] => [
  machine(`node-${n}`, 'node', `net-${n}`, `10.${n}.1.4`, []),
  machine(`app-${n}`, 'application', `net-${n}`, `10.${n}.1.5`),
];
const provider = {
  id: 'provider',
  label: 'provider',
  prefixes: ['172.31.0.0/16'],
  subnets: [{ name: 's', prefix: '172.31.0.0/24' }],
  internet: false,
};
const intent = (count: number, more: Partial<FabricIntent> = {}): FabricIntent => {
  const all = Array.from({ length: count }, (_, n) => n + 1);
  return {
    networks: [provider, ...all.map((n) => customer(n, n === 1 ? [2] : n === 2 ? [1] : []))],
    machines: [
      machine('control-door', 'control-door', 'provider', '172.31.0.4', []),
      machine('operator', 'operator', 'provider', '172.31.0.5', []),
      ...all.flatMap(inhabitants),
    ],
    links: [
      {
        id: 'link',
        label: 'link',
        consumer: { network: 'net-1', address: '10.1.1.10' },
        provider: { network: 'provider', natAddress: '172.31.0.6', destination: '172.31.0.5' },
        port: 51820,
        open: true,
      },
    ],
    work: [],
    ...more,
  };
};
const all = (): boolean => true;

test('each pair of neighbouring walls is tried, and only what runs sends', () => {
  const one = intent(2);
  const probes = standingProbes(one, all, 0);
  const pairs = new Set(
    probes.map(({ from, to }) => `${from} ${to.replace(/^(192|198|203)\..*/, 'internet')}`),
  );
  for (const pair of [
    'node-1 internet',
    'node-1 172.31.0.4',
    'node-1 10.1.1.5',
    'node-1 10.1.1.10',
    'node-1 10.2.1.5',
    'app-1 10.1.1.4',
    'app-2 10.1.1.4',
    'app-1 172.31.0.5',
    'app-1 internet',
    'operator internet',
    'operator 10.1.1.4',
    'control-door internet',
  ])
    assert.ok(pairs.has(pair), pair);
  const walls = wallsOfIntent(one);
  const arriving = probes.filter((probe) => shallArrive(walls, probe).length > 0);
  assert.deepEqual(
    arriving.map(({ from }) => from),
    ['app-1', 'app-2'],
    'what is silent can be believed',
  );
  const without = standingProbes(one, (id) => id !== 'node-1', 0);
  assert.ok(without.every(({ from, to }) => from !== 'node-1' && to !== '10.1.1.4'));
  assert.deepEqual(
    standingProbes(one, () => false, 0),
    [],
  );
});

test('a service is tried past the gate, and for a way out of its own', () => {
  const one = intent(1);
  const storage = machine('storage', 'storage', 'provider', '172.31.0.9', []);
  const probes = standingProbes({ ...one, machines: [...one.machines, storage] }, all, 0);
  const pairs = probes.map(({ from, to, port }) => `${from} ${to} ${port}`);
  assert.ok(pairs.includes('operator 172.31.0.9 10000'));
  assert.ok(pairs.some((pair) => /^storage (192|198|203)\..* 443$/.test(pair)));
});

test('however many networks there are, a round is bounded, and all have their turn', () => {
  const many = intent(30);
  const rounds = Array.from({ length: 8 }, (_, turn) => standingProbes(many, all, turn));
  assert.ok(
    rounds.every((probes) => probes.length <= 60),
    'bounded',
  );
  const senders = new Set(rounds.flat().map(({ from }) => from));
  for (let n = 1; n <= 30; n++) assert.ok(senders.has(`node-${n}`), `node-${n}`);
});

/** A world in which packets go where the model says, but for what `bent` says of them. */
function play(bent: (probe: Probe, round: number) => Partial<ProbeResult>) {
  let time = 0;
  let rounds = 0;
  let mended = 0;
  let awake: (id: string) => boolean = all;
  let current = revise(intent(1, { wallsSeconds: 600 }));
  const clock: Clock = { now: () => time, sleep: () => Promise.resolve() };
  const standing = createStanding({
    intent: () => current,
    applied: () => current.revision,
    running: (id) => awake(id),
    send: (_, probes, shall) => {
      rounds++;
      const result = (probe: Probe): ProbeResult => ({
        said: 'sent',
        left: true,
        arrived: [...shall(probe)],
        blind: null,
        ...bent(probe, rounds),
      });
      return Promise.resolve(probes.map(result));
    },
    mend: () => Promise.resolve(void mended++),
    clock,
    log: createLog({}, { level: 'error', write: () => undefined }),
  });
  return {
    standing,
    later: (ms: number) => (time += ms),
    rounds: () => rounds,
    mended: () => mended,
    come: () => (awake = (id) => id !== 'node-1'),
    change: () => (current = revise(intent(2))),
    pass: () => standing.reconcile(new AbortController().signal),
  };
}

test('a round is clean, and comes again when its time has come', async () => {
  const world = play(() => ({}));
  await world.pass();
  await world.pass();
  assert.equal(world.rounds(), 1);
  world.later(600_000);
  await world.pass();
  assert.equal(world.rounds(), 2);
  world.come();
  world.later(59_999);
  await world.pass();
  assert.equal(world.rounds(), 2, 'whoever came is met in a minute');
  world.later(1);
  await world.pass();
  assert.equal(world.rounds(), 3);
  const { last, findings } = world.standing.report();
  assert.equal(last?.agreed, last?.tried);
  assert.deepEqual([last?.arrived, findings], [1, []]);
});

test('an open wall is found and named; whether it stands is told after a pass of the fabric', async () => {
  for (const stands of [false, true]) {
    const leaks = (probe: Probe, round: number) =>
      probe.from === 'app-1' && probe.to === '10.1.1.4' && (round === 1 || stands)
        ? { arrived: ['node-1'] }
        : {};
    const world = play(leaks);
    const status = await world.pass();
    assert.equal(world.mended(), 1);
    const [finding] = world.standing.report().findings;
    assert.deepEqual(
      [finding?.from, finding?.to, finding?.port, finding?.outcome, finding?.stands],
      ['app-1', '10.1.1.4', 7001, 'opened', stands],
    );
    assert.equal(status.at === 'applied' && status.failed.length, stands ? 1 : 0);
  }
});

test('what a machine keeps by its own rules is no finding, and neither is what was sent while the intent changed', async () => {
  const kept = play((probe) => (probe.from === 'app-1' ? { arrived: [], left: false, said: 'EPERM' } : {}));
  await kept.pass();
  assert.deepEqual(kept.standing.report().findings, []);
  assert.equal(kept.standing.report().last?.unproved, 1);
  const changing = play((): Partial<ProbeResult> => {
    changing.change();
    return { arrived: ['internet'] };
  });
  await changing.pass();
  assert.deepEqual([changing.standing.report().findings, changing.standing.report().last], [[], null]);
});
