import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Model } from '../../test/harness/operator/ladder-model.ts';
import { operatorIntent } from '../../test/harness/operator/shapes.ts';
import { withoutTheirKeys } from './leavers.ts';
import { membershipOf } from './ring-view.ts';

const until = (model: Model, what: string, check: () => boolean, rounds = 60): void => {
  for (let round = 0; round < rounds; round++) {
    model.round(check);
    if (check()) return;
  }
  assert.fail(`never ${what}: ${JSON.stringify([model.phase(), model.state.rings['dc1']])}`);
};
const phase = (model: Model, wanted: string): void =>
  until(model, wanted, () => model.phase().phase === wanted);
const membership = (model: Model, name: string): string => membershipOf(model.state, 'dc1', name);

function ready(nodes = 3, authentication: 'Cassandra' | 'None' = 'Cassandra'): Model {
  const model = new Model(operatorIntent({ nodes, authentication }));
  phase(model, 'ready');
  return model;
}

const added = (nodes: number) => operatorIntent({ nodes }).dataCenters[0]!.nodes;
const leave = (model: Model, ...names: readonly string[]): void =>
  model.wantNodes((nodes) => nodes.map((node) => ({ ...node, leaving: names.includes(node.name) })));

test('two new nodes bootstrap one after the other, and the seeds stay', () => {
  const model = ready();
  model.wantNodes(() => added(5));
  const seen = new Set<string>();
  until(model, 'five', () => {
    seen.add(`${membership(model, 'dc1-3')},${membership(model, 'dc1-4')}`);
    return model.phase().phase === 'ready';
  });
  assert.ok(seen.has('joining,waiting') && seen.has('member,joining'));
  assert.ok(!seen.has('joining,joining'));
  for (const { document } of model.published.values()) {
    assert.deepEqual(document.cassandra.seeds, ['10.0.2.4', '10.0.2.5', '10.0.2.6']);
    assert.equal(document.door.state, 'joined');
  }
  assert.deepEqual(model.published.get('dc1-4')!.document.cassandra.tokens, []);
});

test('a new node’s door opens only after it has refused the default password', () => {
  const model = ready();
  model.wantNodes(() => added(4));
  until(model, 'a check', () => model.state.rings['dc1']!.change?.stage === 'checking');
  const told = model.published.get('dc1-3')!.document;
  assert.equal(told.door.state, 'joining');
  assert.deepEqual(
    told.work.map((work) => work.kind),
    ['check-default-password-refused'],
  );
  phase(model, 'ready');
  assert.equal(model.published.get('dc1-3')!.document.door.state, 'joined');
});

test('nothing joins a ring with a node down, and the node is named', () => {
  const model = ready();
  model.wantNodes(() => added(4));
  model.now += 9_000;
  for (const node of model.nodes.slice(1)) {
    model.enrol(node);
    model.pass();
    model.apply(node);
    model.report(node);
  }
  model.pass();
  assert.equal(model.phase().phase, 'scaling');
  assert.match(model.phase().waitingFor!, /dc1-0 .*stopped reporting/);
  assert.equal(membership(model, 'dc1-3'), 'waiting');
});

test('the last of those that shall leave goes first, is retired, and its keys are worth nothing', () => {
  const model = ready(5);
  leave(model, 'dc1-3', 'dc1-4');
  until(model, 'leaving', () => membership(model, 'dc1-4') === 'leaving');
  assert.equal(membership(model, 'dc1-3'), 'member');
  until(model, 'left', () => membership(model, 'dc1-3') === 'left');
  assert.equal(membership(model, 'dc1-4'), 'left');
  phase(model, 'ready');
  const told = model.published.get('dc1-4')!.document;
  assert.equal(told.door.state, 'retired');
  assert.equal(told.cassandra.process, 'stopped');
  assert.ok(!model.published.get('dc1-0')!.document.door.peers.includes('10.0.2.8'));
  const later = withoutTheirKeys(model.state, () => true, model.now);
  assert.deepEqual([later.members['dc1-4']!.grant, later.members['dc1-4']!.oneTime], [null, null]);
  assert.ok(later.members['dc1-0']!.grant);
});

test('a founder that left and comes back on another machine bootstraps, and is no seed', () => {
  const model = ready(4);
  leave(model, 'dc1-1');
  until(model, 'left', () => membership(model, 'dc1-1') === 'left');
  const machines = { 'dc1-1': 'another' };
  model.wantNodes(() => operatorIntent({ nodes: 4, machines }).dataCenters[0]!.nodes);
  phase(model, 'ready');
  assert.equal(membership(model, 'dc1-1'), 'member');
  assert.deepEqual(model.published.get('dc1-1')!.document.cassandra.tokens, []);
  assert.deepEqual(model.published.get('dc1-0')!.document.cassandra.seeds, [
    '10.0.2.4',
    '10.0.2.6',
    '10.0.2.7',
  ]);
});

test('Cassandra’s refusal is told, tried anew under other ids, and ends when the node is asked back', () => {
  const model = ready(4);
  leave(model, 'dc1-3');
  const node = model.nodes[3]!;
  for (let round = 0; round < 300 && model.last!.reports[0]!.phase !== 'failed'; round++) {
    for (const one of model.nodes) {
      model.apply(one);
      model.work(one, true);
      model.report(one);
    }
    model.now += 4_000;
    model.pass();
  }
  assert.equal(model.phase().phase, 'failed');
  assert.match(model.phase().error!.message, /dc1-3 .*: no/);
  assert.match(model.phase().waitingFor!, /leaves the ring; the last try failed: no/);
  // Asked back while the next try is under way: why the others failed is no fault of what is wanted now.
  const [next] = model.published.get('dc1-3')!.document.work;
  node.ledger[next!.id] = { state: 'running', error: null };
  model.report(node);
  leave(model);
  model.pass();
  assert.deepEqual([model.phase().phase, model.phase().error], ['scaling', null]);
  assert.match(model.phase().waitingFor!, /dc1-3 .*it shall stay/);
  node.ledger[next!.id] = { state: 'failed', error: { code: 'Model', message: 'no' } };
  phase(model, 'ready');
  const tries = Object.keys(node.ledger).filter((id) => id.includes('decommission'));
  leave(model, 'dc1-3');
  until(model, 'left', () => membership(model, 'dc1-3') === 'left');
  const now = Object.keys(node.ledger).filter((id) => id.includes('decommission'));
  assert.equal(now.length, tries.length + 1, 'no id is used again');
});

test('a node that failed on its way out can be asked back, and is not well until it is in again', () => {
  const model = ready(4);
  leave(model, 'dc1-3');
  until(model, 'leaving', () => membership(model, 'dc1-3') === 'leaving');
  const node = model.nodes[3]!;
  model.apply(node);
  model.work(node, true);
  node.mode = 'DECOMMISSION_FAILED';
  model.report(node);
  model.pass();
  leave(model);
  model.pass();
  assert.equal(membership(model, 'dc1-3'), 'member');
  assert.deepEqual(model.published.get('dc1-3')!.document.work, []);
  assert.match(model.phase().error!.message, /dc1-3 .*DECOMMISSION_FAILED/);
  // Its agent starts Cassandra again.
  model.crash(node);
  phase(model, 'ready');
  until(model, 'well', () => model.phase().error === null);
});

test('a node that is out, and died before it could say so, has left: no peer knows it any more', () => {
  const model = ready(4);
  leave(model, 'dc1-3');
  until(model, 'leaving', () => membership(model, 'dc1-3') === 'leaving');
  const node = model.nodes[3]!;
  node.member = false;
  node.running = false;
  node.mode = null;
  node.native = false;
  for (const one of model.nodes) model.report(one);
  model.pass();
  assert.equal(membership(model, 'dc1-3'), 'left');
});

test('a node that shall leave before it ever came has left at once, and can’t enrol any more', () => {
  const model = ready();
  model.wantNodes(() => added(4).map((node, index) => (index === 3 ? { ...node, leaving: true } : node)));
  model.pass();
  assert.equal(membership(model, 'dc1-3'), 'left');
  assert.equal(withoutTheirKeys(model.state, () => false, model.now).members['dc1-3']!.oneTime, null);
  assert.equal(model.phase().phase, 'ready');
});

test('a node that can’t come in, and shall leave, is let go', () => {
  const model = ready();
  model.wantNodes(() => added(4));
  until(model, 'joining', () => model.nodes[3]!.mode === 'JOINING');
  model.nodes[3]!.mode = 'JOINING_FAILED';
  leave(model, 'dc1-3');
  model.report(model.nodes[3]!);
  model.pass();
  assert.equal(membership(model, 'dc1-3'), 'left');
  phase(model, 'ready');
});

test('deallocated: Cassandra stops on every node, its door and its identity stay, and it comes back', () => {
  const model = ready();
  const [dataCenter] = model.intent.dataCenters;
  model.want({ ...model.intent, dataCenters: [{ ...dataCenter!, deallocated: true }] });
  model.pass();
  assert.equal(model.phase().phase, 'deallocating');
  assert.match(model.phase().waitingFor!, /dc1-0 .*being drained and stopped/);
  phase(model, 'deallocated');
  assert.deepEqual(model.phase(), { name: 'dc1', phase: 'deallocated', waitingFor: null, error: null });
  for (const { document } of model.published.values()) {
    assert.equal(document.cassandra.process, 'stopped');
    assert.equal(document.door.state, 'joined');
  }
  model.restartOperator();
  model.pass();
  assert.equal(model.published.get('dc1-0')!.document.cassandra.process, 'stopped');
  model.want({ ...model.intent, dataCenters: [dataCenter!] });
  model.pass();
  assert.equal(model.phase().phase, 'starting');
  phase(model, 'ready');
  assert.ok(model.nodes.every((node) => node.native));
});

const cleanupOf = (model: Model) => model.phase().cleanup;
const cleaning = (model: Model): readonly string[] =>
  [...model.published.values()].flatMap(({ document }) =>
    document.work.filter(({ kind }) => kind === 'cleanup').map(({ id }) => id),
  );

test('after the last newcomer each older node drops what is no longer its own, one at a time', () => {
  const model = ready();
  assert.equal(cleanupOf(model), undefined);
  model.wantNodes(() => added(5));
  until(model, 'five', () => {
    assert.deepEqual(cleaning(model), [], 'not while the ring changes');
    return model.phase().phase === 'ready';
  });
  assert.deepEqual(cleanupOf(model), {
    due: ['dc1-0', 'dc1-1', 'dc1-2', 'dc1-3'],
    done: [],
    failed: [],
  });
  until(model, 'half of it', () => cleanupOf(model)!.done.length === 2 && cleaning(model).length === 1);
  model.restartOperator();
  until(model, 'all of it', () => {
    assert.ok(cleaning(model).length <= 1, 'one node at a time');
    assert.equal(model.phase().phase, 'ready');
    return cleanupOf(model)!.due.length === 0;
  });
  assert.deepEqual(cleanupOf(model)!.done, ['dc1-0', 'dc1-1', 'dc1-2', 'dc1-3']);
  for (const node of model.nodes)
    assert.equal(
      Object.keys(node.ledger).filter((id) => id.includes('cleanup')).length,
      node.name === 'dc1-4' ? 0 : 1,
      node.name,
    );
});

test('a cleanup that fails is told and tried again later, and the data centre stays ready', () => {
  const model = ready();
  model.wantNodes(() => added(4));
  phase(model, 'ready');
  until(model, 'the first', () => cleaning(model).length === 1);
  const [first] = model.nodes;
  model.apply(first!);
  model.work(first!, true);
  model.report(first!);
  model.pass();
  assert.deepEqual(cleanupOf(model), {
    due: ['dc1-1', 'dc1-2', 'dc1-0'],
    done: [],
    failed: [{ node: 'dc1-0', error: { code: 'Model', message: 'no' } }],
  });
  assert.deepEqual(cleaning(model), [], 'a pause');
  assert.deepEqual([model.phase().phase, model.phase().error], ['ready', null]);
  until(model, 'all', () => cleanupOf(model)!.due.length === 0);
  assert.deepEqual(cleanupOf(model), { due: [], done: ['dc1-1', 'dc1-2', 'dc1-0'], failed: [] });
});

test('a change doesn’t wait for a cleanup; whoever leaves has nothing to drop', () => {
  const model = ready(4);
  model.wantNodes(() => added(5));
  phase(model, 'ready');
  until(model, 'the first', () => cleaning(model).length === 1);
  leave(model, 'dc1-2');
  until(model, 'leaving', () => membership(model, 'dc1-2') === 'leaving');
  assert.deepEqual(cleanupOf(model)!.due, ['dc1-0', 'dc1-1', 'dc1-3']);
  until(model, 'left', () => membership(model, 'dc1-2') === 'left');
  until(model, 'the rest', () => cleanupOf(model)!.due.length === 0);
  assert.deepEqual(cleanupOf(model)!.done, ['dc1-0', 'dc1-1', 'dc1-3']);
});

const actions = ['enrol', 'pass', 'apply', 'boot', 'work', 'fail', 'report', 'crash'] as const;
const others = ['restart', 'time', 'round', 'larger', 'smaller', 'back', 'tidy', 'stop', 'start'] as const;

test('in any order of events: one node at a time, never less than three, and as intended in the end', () => {
  const step = fc.tuple(fc.constantFrom(...actions, ...others), fc.nat(5));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const model = ready();
      for (const [action, index] of steps) {
        const node = model.nodes[index % model.nodes.length]!;
        const [dataCenter] = model.intent.dataCenters;
        const staying = dataCenter!.nodes.filter((one) => !one.leaving).map((one) => one.name);
        const leaving = dataCenter!.nodes.filter((one) => one.leaving).map((one) => one.name);
        const stop = (deallocated: boolean): void =>
          model.want({ ...model.intent, dataCenters: [{ ...dataCenter!, deallocated }] });
        if (action === 'restart') model.restartOperator();
        else if (action === 'time') model.now += 1000 * (index + 1) ** 2;
        else if (action === 'pass') model.pass();
        else if (action === 'fail') model.work(node, true);
        else if (action === 'round') model.round();
        else if (action === 'larger') {
          const next = added(6).find((one) => !model.nodes.some((had) => had.name === one.name));
          if (next) model.wantNodes((nodes) => [...nodes, next]);
        } else if (action === 'smaller') {
          if (staying.length > 3) leave(model, ...leaving, staying.at(-1)!);
        } else if (action === 'back') {
          const stay = leaving.find((name) => membership(model, name) !== 'left');
          leave(model, ...leaving.filter((name) => name !== stay));
        } else if (action === 'tidy')
          model.wantNodes((nodes) => nodes.filter((one) => membership(model, one.name) !== 'left'));
        else if (action === 'stop' || action === 'start') stop(action === 'stop');
        else model[action](node);
        if (model.last!.reports[0]!.phase === 'ready')
          assert.ok(model.nodes.filter((one) => one.member).length >= 3);
      }
      const [dataCenter] = model.intent.dataCenters;
      model.want({ ...model.intent, dataCenters: [{ ...dataCenter!, deallocated: false }] });
      until(model, 'ready', () => model.phase().phase === 'ready', 200);
      for (const node of model.intent.dataCenters[0]!.nodes) {
        const shall = node.leaving || membership(model, node.name) === 'left' ? 'left' : 'member';
        assert.equal(membership(model, node.name), shall);
      }
      until(model, 'clean', () => (cleanupOf(model)?.due.length ?? 0) === 0, 100);
      assert.equal(model.phase().phase, 'ready');
    }),
    { numRuns: 300 },
  );
});

test('while the ring counts on a machine that was taken away without leaving, nothing joins', () => {
  const model = ready(4);
  model.wantNodes((nodes) => nodes.filter((node) => node.name !== 'dc1-3'));
  phase(model, 'ready');
  model.wantNodes((nodes) => [...nodes, { name: 'dc1-9', address: '10.0.2.99', rack: 'rack1' }]);
  const { report } = model;
  model.report = function (node) {
    report.call(this, node);
    this.heard.get(node.name)?.report.cassandra.unreachable.push('10.0.2.7');
  };
  for (let round = 0; round < 5; round++) model.round();
  assert.equal(membership(model, 'dc1-9'), 'waiting');
  assert.match(model.phase().waitingFor!, /still counts on 10\.0\.2\.7/);
  // Back under its name and address, on another machine, it would be taken for the old one.
  model.wantNodes(() => operatorIntent({ nodes: 4, machines: { 'dc1-3': 'another' } }).dataCenters[0]!.nodes);
  model.round();
  assert.equal(model.phase().error!.code, 'NotYetSupported');
  assert.equal(model.published.get('dc1-3')!.document.cassandra.process, 'stopped');
});
