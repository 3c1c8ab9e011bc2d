/**
 * The figure: every way out that is known, in every state that a wall can be in, and while the gate's policies change. A try counts
 * only where what shows it could have been seen was seen in the same state.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { encode, parseAnswer, readProgram, type Answer } from '../../src/fabric/verify/batch.ts';
import { judgeControls } from '../../src/fabric/verify/controls.ts';
import type { Facts } from '../../src/fabric/verify/facts.ts';
import { sayAll } from '../../src/fabric/verify/gate-probe.ts';
import { judgeGate } from '../../src/fabric/verify/judge-gate.ts';
import { judge, type Sighting } from '../../src/fabric/verify/judge.ts';
import { look } from '../../src/fabric/verify/look.ts';
import { openHostCanary, type OpenHostCanary } from '../../src/fabric/verify/outside.ts';
import { readAll, sightingsBetween } from '../../src/fabric/verify/recorders.ts';
import type { Identity, Rules, VerifiedTry } from '../../src/fabric/verify/result.ts';
import { gateBatch } from '../../src/fabric/verify/tries-gate.ts';
import { allowedTries, controlTries, triesOf } from '../../src/fabric/verify/tries.ts';
import {
  firstPort,
  firstTunnelPort,
  udp,
  type Aims,
  type Batch,
  type ControlClass,
} from '../../src/fabric/verify/try.ts';
import { startWatchers, stopWatchers } from '../../src/fabric/verify/watch.ts';
import type { WorldMachine } from '../../src/fabric/verify/world.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { renderDoor, type DoorPolicy, type DoorState } from '../../src/network/door.ts';
import { ports } from '../../src/network/ports.ts';
import { freePort, request, say, startAccount, startGate, statusOf } from '../harness/gate.ts';
import { door, openSmallCloud, operator, tunnelOf, type SmallCloud } from './small-cloud.ts';

/** Tries that count, by the state that they were made in, and what got out. */
interface Figure {
  readonly counts: Map<string, number>;
  readonly leaks: string[];
  readonly uncounted: Map<string, number>;
}
const figure: Figure = { counts: new Map(), leaks: [], uncounted: new Map() };

function count(state: string, tries: readonly VerifiedTry[]): void {
  for (const { outcome, machine, as, rules, what, towards, evidence } of tries) {
    if (outcome === 'leaked')
      figure.leaks.push(`${state}: ${machine} ${as} ${rules}: ${what} to ${towards}: ${evidence}`);
    const into = outcome === 'not proved' ? figure.uncounted : figure.counts;
    const key = outcome === 'not proved' ? evidence : state;
    into.set(key, (into.get(key) ?? 0) + 1);
  }
}

// ---- the door's states

interface Scene {
  readonly name: string;
  readonly state: DoorState;
  readonly link: boolean;
  readonly rules: Rules;
}
const scenes: readonly Scene[] = (
  ['born', 'joining', 'joined', 'blocked', 'retired', 'joined, link rejected'] as const
).flatMap((name) =>
  (['in force', 'flushed'] as const).map((rules) => {
    const rejected = name === 'joined, link rejected';
    return { name: `${name}, rules ${rules}`, state: rejected ? 'joined' : name, link: !rejected, rules };
  }),
);

function policyOf(state: DoorState, { address }: WorldMachine, n: number, peer: string): DoorPolicy {
  const isAlive = state !== 'born' && state !== 'retired';
  return {
    state,
    nic: isAlive ? { device: 'eth0', address, prefixLength: 24 } : null,
    endpoint: isAlive ? door : null,
    tunnel: isAlive
      ? {
          ...{ device: 'wg0', address: tunnelOf(n), operator: operator.tunnel },
          open: [
            { protocol: 'tcp', port: ports.exchange, reason: 'the exchange' },
            { protocol: 'tcp', port: ports.services, reason: 'services', notBlocked: true },
          ],
        }
      : null,
    ...{ peers: [peer], clients: ['10.0.0.0/16'], metrics: ['10.0.0.0/16'], deniedUid: null },
  };
}

interface Act {
  readonly machine: WorldMachine;
  readonly as: Identity;
  readonly batch: Batch;
}

test('in no state of the walls anything gets out', { timeout: 120_000 }, async (t) => {
  const cloud = await openSmallCloud();
  t.after(() => cloud.close());
  const host = await openHostCanary();
  t.after(() => host.close());
  await playDoors(t, cloud, host);
  await playGate(t);

  const total = [...figure.counts.values()].reduce((sum, n) => sum + n, 0);
  const parts = [...figure.counts].map(([state, n]) => `${state} ${n}`).join('; ');
  for (const [why, n] of figure.uncounted) t.diagnostic(`not counted: ${n}, ${why}`);
  t.diagnostic(`${total.toLocaleString('en')} tries, ${figure.leaks.length} leaks: ${parts}`);
  assert.deepEqual(figure.leaks, []);
  assert.ok(total >= 2_000, `${total} tries`);
});

async function playDoors(t: TestContext, cloud: SmallCloud, host: OpenHostCanary): Promise<void> {
  const { world } = cloud;
  const program = await readProgram();
  const [one, two, app, end] = world.machines as [WorldMachine, WorldMachine, WorldMachine, WorldMachine];
  const facts = new Map<string, Facts>();
  for (const machine of world.machines) facts.set(machine.id, await look(world, machine, program));

  let [port, tunnelPort, turn] = [firstPort, firstTunnelPort, 0];
  const aims = (machine: WorldMachine, as: Identity): Aims => ({
    ...{ world, machine, facts: facts.get(machine.id)!, others: facts, as, host },
    ...{ port: () => port++, tunnelPort: () => tunnelPort++, turn: turn++ },
  });
  const own = udp(door.address, door.port, `the door ${door.address}`, 'udp', {
    // Behind the link it would bear the operator's address; the tunnel's own packets count as well.
    markers: [{ destinations: [operator.address], protocol: 'udp', port: door.port }],
  });
  const acts = scenes.map(({ link }): readonly Act[] => {
    const [root, cassandra] = [triesOf(aims(one, 'root')), triesOf(aims(two, 'cassandra'))];
    const rejected = link ? [] : [{ ...own, by: 'network' as const, id: 'link' }];
    return [
      { machine: one, as: 'root', batch: { ...root, tries: [...root.tries, ...rejected] } },
      { machine: two, as: 'cassandra', batch: cassandra },
      { machine: app, as: 'root', batch: controlTries(aims(app, 'root')) },
    ];
  });
  const perform = async ({ machine, as, batch }: Act, more = {}): Promise<Answer> => {
    const settings = {
      ...{
        dev: 'eth0',
        gateway: facts.get(machine.id)!.gateway ?? '',
        secret: host.secret,
        wait: 250,
        ...more,
      },
    };
    const input = program + encode(settings, batch);
    return parseAnswer(
      (await world.enter(machine.id, ['/usr/bin/perl', '-'], { as, input, timeoutMs: 20_000 })).stdout,
    );
  };
  const nft = async (machine: WorldMachine, text: string): Promise<void> => {
    const said = await world.enter(machine.id, ['/usr/sbin/nft', '-f', '-'], { as: 'root', input: text });
    assert.equal(said.exitCode, 0, said.stderr);
  };
  const hostShown = (await host.selfTest(systemClock)).seen;
  const { watchers } = await startWatchers(world, [one, two], facts, {
    ...{ program, clock: systemClock, signal: t.signal },
    ports: Array.from({ length: tunnelPort - firstTunnelPort }, (_, n) => firstTunnelPort + n),
  });
  assert.equal(watchers.length, 3);

  let reading = await readAll(world);
  const judged: ((inTunnel: readonly Sighting[]) => void)[] = [];
  for (const [at, scene] of scenes.entries()) {
    await cloud.link(scene.link);
    for (const [n, machine] of [one, two].entries()) {
      const peer = (machine === one ? two : one).address;
      const text = renderDoor(policyOf(scene.state, machine, n, peer), { nic: true, tunnel: true });
      await nft(machine, scene.rules === 'in force' ? text : 'flush ruleset');
    }
    // By itself: what is no port of the run's own can't be told from a node's that tries at the same time.
    const shows = acts[at]!.at(-1)!;
    const { results: shown } = await perform(shows, { wait: 100 });
    const before = await readAll(world);
    const lines = judgeControls(app, shows.batch, shown, sightingsBetween(reading, before));
    const missed = lines.filter((line) => !line.control.seen);
    assert.deepEqual(
      missed.map((line) => line.control.evidence),
      [],
      scene.name,
    );
    const heardBefore = host.received().length;
    const flush = scene.rules === 'flushed' ? { flush: 60 } : {};
    const played = acts[at]!.slice(0, -1).map(async (act) => {
      const allowed = allowedTries({ world, machine: act.machine, others: facts });
      const batch = { ...act.batch, tries: [...act.batch.tries, ...allowed] };
      const answer = await perform({ ...act, batch }, act.as === 'root' ? flush : {});
      return { act, answer, allowed };
    });
    const answers = await Promise.all(played);
    reading = await readAll(world);
    const sightings = sightingsBetween(before, reading);
    const heard = host.received().slice(heardBefore);
    for (const { act, answer, allowed } of answers) {
      const controls = new Set<ControlClass>(lines.map(({ kind }) => kind));
      if (hostShown) controls.add('host');
      if (host.vsock) controls.add('vsock');
      const isThrough = allowed.some(
        (one) => one.control === 'tunnel' && answer.results.get(one.id)?.state === 'answered',
      );
      if (isThrough) controls.add('tunnel');
      // What may be said in a state is what its list says.
      const opens = allowed.filter((one) => answer.results.get(one.id)?.state === 'answered');
      if (scene.rules === 'in force' && (scene.state === 'born' || scene.state === 'retired'))
        assert.deepEqual(opens, [], scene.name);
      judged.push((inTunnel) =>
        count(
          scene.name,
          judge({
            ...{
              machine: act.machine,
              as: act.as,
              rules: scene.rules,
              batch: act.batch,
              results: answer.results,
            },
            ...{
              sightings: [...sightings, ...inTunnel],
              heard,
              blind: [],
              controls,
              operator: end.id,
              hasTwin: false,
            },
          }),
        ),
      );
    }
  }
  const { sightings: inTunnel, failed } = await stopWatchers(watchers);
  assert.deepEqual(failed, []);
  for (const judgeOne of judged) judgeOne(inTunnel);
}

// ---- the gate, with a policy, without one, and while policies change

const good = 'logs.blob.core.windows.net';
const evil = 'evil.blob.core.windows.net';
const third = 'new.blob.core.windows.net';
/** Rounds of tries while policies change, and changes at the least. */
const [leastRounds, leastChanges] = [12, 6];
const gateItself: WorldMachine = {
  ...{
    id: 'operator',
    kind: 'operator',
    hostname: 'operator',
    network: 'provider',
    address: '127.0.0.1',
    allow: null,
  },
};

async function playGate(t: TestContext): Promise<void> {
  const accounts = {
    good: await startAccount(t, good),
    evil: await startAccount(t, evil),
    third: await startAccount(t, third),
  };
  const gate = await startGate(t);
  const port = await freePort();
  const cluster = { identity: 'c1', source: '127.0.0.1', port };
  const intend = (...list: readonly (keyof typeof accounts)[]) =>
    gate.intend({ clusters: [{ ...cluster, accounts: list.map((id) => accounts[id].said()) }] });
  const { report } = await intend('good');
  const authority = report.clusters['c1']!.authority;
  const place = (account: { readonly name: string; readonly port: number }) => ({
    ...{ name: account.name, address: '127.0.0.1', port: account.port },
  });
  const batch = gateBatch({
    gate: {
      ...{ operator: 'operator', authority, others: [{ ...place(accounts.evil), shut: true, shared: true }] },
      accounts: [{ ...place(accounts.good), ask: { method: 'GET', path: '/' } }],
    },
    account: { ...place(accounts.good), ask: { method: 'GET', path: '/' } },
    ...{ way: { to: '127.0.0.1', port }, turn: 0 },
  });
  // The attacker's account is there to be reached.
  const direct = { port: accounts.evil.port, ca: accounts.evil.authority.certificate };
  assert.equal(statusOf(await say(direct, evil, request(evil))), '200');
  accounts.evil.seen.length = 0;

  const round = async (state: string): Promise<void> => {
    const orders = [...batch.controls.slice(0, -1), ...batch.tries, ...batch.controls.slice(-1)];
    const heard = await sayAll({
      authority,
      names: [good],
      atOnce: 8,
      orders: orders.map(({ order }) => order),
    });
    const played = { machine: gateItself, as: 'root', rules: 'in force', batch } as const;
    count(
      state,
      judgeGate(
        { ...played, heard: new Map(heard.map((one) => [one.id, one])) },
        { blind: [], strays: accounts.evil.seen.length > 0 },
      ),
    );
  };
  await round('gate with a policy');

  let changes = 0;
  let going = true;
  const lists = [['good', 'third'], ['good']] as const;
  const changing = (async () => {
    for (; going; changes++) await intend(...lists[changes % lists.length]!);
  })();
  const state = 'gate while policies change';
  for (let rounds = 0; rounds < leastRounds || changes < leastChanges; rounds++) await round(state);
  going = false;
  await changing;
  t.diagnostic(`${changes} changes of policy meanwhile`);
  assert.ok(figure.counts.has(state));

  // Without one nobody listens: that somebody did a moment ago is what shows it.
  await round('gate with a policy');
  await intend();
  const refused = await sayAll({
    authority,
    names: [good],
    atOnce: 8,
    orders: batch.tries.map(({ order }) => order),
  });
  count(
    'gate without a policy',
    refused.map((one) => ({
      ...{ machine: 'operator', as: 'root', rules: 'in force', what: one.id, towards: evil, wall: null },
      ...{ outcome: one.end === 'ECONNREFUSED' ? 'stopped' : 'leaked', evidence: one.end },
    })),
  );
  assert.equal(accounts.evil.seen.length, 0);
}
