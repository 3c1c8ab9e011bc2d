import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProbeResult } from './batch.ts';
import { judge, since, verdictOf, type Evidence, type Sighting } from './judge.ts';
import type { Control, VerifiedTry } from './result.ts';
import { summarise } from './summary.ts';
import { mark, type Try } from './try.ts';
import type { Seen, WorldMachine } from './world.ts';

const machine: WorldMachine = {
  id: 'n1',
  kind: 'node',
  hostname: 'n1',
  network: 'a',
  address: '10.0.2.4',
  allow: [],
};
const canary = '192.0.2.10';
const tried = (more: Partial<Try> = {}): Try => ({
  id: 't1',
  what: 'UDP',
  towards: 'internet',
  control: 'udp',
  markers: [mark(canary, 'udp', 20_001)],
  by: 'network',
  verb: 'udp',
  arguments: { to: canary, port: 20_001 },
  ...more,
});
const seen = (more: Partial<Seen> = {}): Seen => ({
  source: '10.0.2.4',
  destination: canary,
  protocol: 'udp',
  port: 20_001,
  packets: 1,
  ...more,
});
const cable: Sighting = { place: 'nic-out', of: 'n1', seen: [seen()] };
const internet: Sighting = { place: 'internet', of: null, seen: [seen({ source: '100.64.0.2' })] };

function verdict(
  said: ProbeResult | undefined,
  sightings: readonly Sighting[],
  more: Partial<Evidence> = {},
  t: Try = tried(),
): VerifiedTry {
  const results = new Map(said ? [[t.id, said]] : []);
  const batch = { tries: [t], preparation: { orders: [] } };
  return judge({
    machine,
    as: 'root',
    rules: 'in force',
    batch,
    results,
    sightings,
    heard: [],
    blind: [],
    controls: new Set(['udp', 'dns', 'tunnel', 'host']),
    operator: 'op',
    hasTwin: false,
    ...more,
  })[0]!;
}
const sent: ProbeResult = { state: 'sent', detail: '' };

test('who stopped it follows from how far it was seen', () => {
  assert.equal(verdict(sent, []).wall, "node's door");
  assert.equal(verdict(sent, [cable]).wall, 'platform policy');
  assert.equal(verdict(sent, [cable], { machine: { ...machine, allow: null } }).wall, "customer's NSG");
  assert.equal(verdict({ state: 'refused', detail: 'socket EPERM' }, []).wall, 'no capability');
  assert.equal(verdict({ state: 'refused', detail: 'send EPERM' }, []).wall, "node's door");
  assert.equal(verdict({ state: 'refused', detail: 'send ENETUNREACH' }, []).wall, 'no route');
  assert.equal(verdict({ state: 'refused', detail: 'prepare Unknown device type' }, []).wall, 'kernel');
});

test('what was seen past the cable is a leak, whatever the prober says and however blind the rest', () => {
  for (const said of [sent, { state: 'refused', detail: 'send EPERM' } as const, undefined]) {
    const result = verdict(said, [internet], { blind: ['a recorder is gone'], controls: new Set() });
    assert.equal(result.outcome, 'leaked');
    assert.equal(result.wall, null);
  }
  assert.equal(verdict({ state: 'answered', detail: '5 bytes' }, []).outcome, 'leaked');
  assert.equal(verdict(sent, [{ place: 'nic-in', of: 'other', seen: [seen()] }]).outcome, 'leaked');
});

test('what others send too is a leak only of the machine whose cable saw it', () => {
  const dns = tried({ control: 'dns', markers: [mark(canary, 'udp', 53)] });
  const outside: Sighting = { ...internet, seen: [seen({ port: 53 })] };
  assert.equal(verdict(sent, [outside], {}, dns).outcome, 'stopped');
  assert.equal(verdict(sent, [outside, { ...cable, seen: [seen({ port: 53 })] }], {}, dns).outcome, 'leaked');
});

test('a source address is no proof where another customer has the same: its own cable decides', () => {
  const ping = tried({ markers: [mark('10.0.1.10', 'icmp', null, ['10.0.2.4'])] });
  const echo = [seen({ destination: '10.0.1.10', protocol: 'icmp', port: null })];
  const twinsOwn: Sighting = { place: 'nic-out', of: 'twin', seen: echo };
  const delivered: Sighting = { place: 'nic-in', of: 'other', seen: echo };
  assert.equal(verdict(sent, [twinsOwn], {}, ping).outcome, 'leaked', 'with no twin it can only be this one');
  assert.equal(verdict(sent, [twinsOwn], { hasTwin: true }, ping).outcome, 'stopped');
  const left: Sighting = { ...cable, seen: echo };
  assert.equal(verdict(sent, [twinsOwn, left, delivered], { hasTwin: true }, ping).outcome, 'leaked');
});

test('without a control, a recorder or a prober nothing is proved', () => {
  assert.equal(verdict(sent, [], { controls: new Set() }).outcome, 'not proved');
  assert.equal(verdict(sent, [], { blind: ['the recorder on the internet is gone'] }).outcome, 'not proved');
  assert.equal(verdict(undefined, []).outcome, 'not proved');
});

test('the tunnel: what arrives is the operator’s to stop, what a listener hears is a leak', () => {
  const to = 'fd00::1';
  const t = tried({
    by: 'tunnel',
    control: 'tunnel',
    markers: [mark(to, 'udp', 31_000)],
    arguments: { to, port: 31_000 },
  });
  const arrived = [seen({ source: 'fd00:0:0:1::1', destination: to, port: 31_000 })];
  assert.equal(verdict(sent, [{ place: 'watcher', of: 'op', seen: arrived }], {}, t).wall, "operator's door");
  assert.equal(verdict(sent, [], {}, t).wall, "node's door");
  assert.equal(verdict(sent, [], { rules: 'flushed' }, t).wall, 'WireGuard');
  assert.equal(verdict(sent, [{ place: 'watcher', of: 'n2', seen: arrived }], {}, t).outcome, 'leaked');
  const heard = [seen({ source: 'fd00:0:0:1::1', destination: '', port: 31_000 })];
  assert.equal(verdict(sent, [{ place: 'listener', of: 'op', seen: heard }], {}, t).outcome, 'leaked');
});

test('the host: its own socket’s word counts', () => {
  const t = tried({ by: 'host', control: 'host', markers: [], verb: 'unix' });
  assert.equal(verdict({ state: 'held', detail: 'socket ENOENT' }, [], {}, t).wall, 'namespace');
  assert.equal(verdict({ state: 'held', detail: 'ioctl EPERM' }, [], {}, t).wall, 'no capability');
  assert.equal(verdict({ state: 'reached', detail: 'connected' }, [], {}, t).outcome, 'leaked');
  assert.equal(
    verdict({ state: 'held', detail: '' }, [], { heard: ['sallyport-verify t1'] }, t).outcome,
    'leaked',
  );
});

test('a socket past every network namespace: the filter stops it, or the kernel has none, and the word says which', () => {
  const t = tried({ by: 'host', control: 'vsock', markers: [], verb: 'vsock' });
  const none: ProbeResult = { state: 'held', detail: 'socket EAFNOSUPPORT' };
  const controls = new Set(['host', 'vsock'] as const);
  assert.equal(verdict(none, [], { controls }, t).wall, 'system call filter');
  assert.equal(verdict(none, [], {}, t).outcome, 'not proved');
  const lacks = verdict(none, [], {}, { ...t, control: 'host' });
  assert.deepEqual([lacks.wall, lacks.evidence.split(':')[0]], ['kernel', 'not on this kernel']);
  const reached: ProbeResult = { state: 'reached', detail: 'a socket of type 1 was opened' };
  assert.equal(verdict(reached, [], { controls }, t).outcome, 'leaked');
});

test('no evidence at all ever makes a leak of silence, or a stop of a sighting', () => {
  const states = fc.constantFrom('sent', 'answered', 'refused', 'reached', 'held') as fc.Arbitrary<
    ProbeResult['state']
  >;
  const details = fc.constantFrom(
    '',
    'send EPERM',
    'socket EACCES',
    'send ENOBUFS',
    'far ECONNREFUSED',
    'prepare no',
  );
  fc.assert(
    fc.property(
      states,
      details,
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom('in force', 'flushed'),
      (state, detail, out, beyond, blind, rules) => {
        const result = verdict({ state, detail }, [...(out ? [cable] : []), ...(beyond ? [internet] : [])], {
          rules,
          blind: blind ? ['gone'] : [],
        });
        const gotOut = beyond || state === 'answered' || state === 'reached';
        assert.equal(result.outcome === 'leaked', gotOut);
        assert.equal(result.outcome === 'stopped', !gotOut && !blind);
        assert.equal(result.wall !== null, result.outcome === 'stopped');
      },
    ),
  );
});

test('a recorder’s news is what it counted more than before, or all of it when it began again', () => {
  assert.deepEqual(since([seen({ packets: 3 })], [seen({ packets: 5 })]), [seen({ packets: 2 })]);
  assert.deepEqual(since([seen({ packets: 3 })], [seen({ packets: 3 })]), []);
  assert.deepEqual(since([seen({ packets: 3 })], [seen({ packets: 1 })]), [seen({ packets: 1 })]);
});

test('proved needs every try stopped, every control seen, and some of both', () => {
  const stopped = verdict(sent, []);
  const control: Control = { kind: 'protocol', what: 'UDP', from: 'app', seen: true, evidence: '' };
  assert.equal(verdictOf([stopped], [control]), 'proved');
  assert.equal(verdictOf([], [control]), 'not proved');
  assert.equal(verdictOf([stopped], []), 'not proved');
  assert.equal(verdictOf([stopped], [{ ...control, seen: false }]), 'not proved');
  assert.equal(verdictOf([stopped, verdict(sent, [internet])], [{ ...control, seen: false }]), 'leak');
  const said = {
    machines: [{ id: 'n1', hostname: 'n1', network: 'a', address: '' }],
    startedAt: '',
    seconds: 1,
  };
  assert.match(
    summarise({ ...said, verdict: 'proved', tries: [stopped], controls: [control] }, 0, 0)[0],
    /^Proved: 1 tries? to get out from 1 node,/,
  );
  assert.match(
    summarise({ ...said, verdict: 'leak', tries: [verdict(sent, [internet])], controls: [control] }, 0, 0)[0],
    /^LEAK: 1 of 1/,
  );
  const line = (operators: number, gated: number): string =>
    summarise({ ...said, verdict: 'proved', tries: [stopped], controls: [control] }, operators, gated)[2];
  assert.match(line(1, 0), /Nothing was tried by the gate: policies name no account/);
  assert.match(line(3, 1), /for 2 of 3 operators/);
  assert.doesNotMatch(line(2, 2), /gate/);
});
