import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Model } from '../../test/harness/operator/ladder-model.ts';
import { operatorIntent } from '../../test/harness/operator/shapes.ts';

const until = (model: Model, phase: string, dataCenter = 'dc1', rounds = 60): void => {
  for (let round = 0; round < rounds; round++) {
    model.round();
    if (model.phase(dataCenter).phase === phase) return;
  }
  assert.fail(`never ${phase}: ${JSON.stringify(model.phase(dataCenter))}`);
};

test('a node that never came is named, with what to look at', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  model.tokens('dc1');
  model.enrol(model.nodes[0]!);
  model.pass();
  model.apply(model.nodes[0]!);
  model.report(model.nodes[0]!);
  model.pass();
  assert.equal(
    model.phase().waitingFor,
    "node dc1-1 (10.0.2.5): expected, never seen: its key has never been seen at the door; is the private endpoint 10.0.1.10 approved, and the node's machine running? (and 1 more node)",
  );
  model.knocked.add('dc1-1');
  model.pass();
  assert.match(model.phase().waitingFor!, /dc1-1 .* was seen at the door, and it hasn't enrolled/);
});

test('three nodes climb to ready, and what they are told then holds no secret', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  until(model, 'ready');
  model.round();
  assert.deepEqual(model.phase(), { name: 'dc1', phase: 'ready', waitingFor: null, error: null });
  for (const { document } of model.published.values()) {
    assert.deepEqual(document.work, []);
    assert.equal(document.door.state, 'joined');
    assert.equal(document.cassandra.startNativeTransport, true);
    assert.deepEqual(document.cassandra.seeds, ['10.0.2.4', '10.0.2.5', '10.0.2.6']);
    assert.doesNotMatch(JSON.stringify(document), /service-password|\$2a\$/);
  }
  assert.deepEqual(model.published.get('dc1-1')!.document.door.peers, ['10.0.2.4', '10.0.2.6']);
});

test('nodes write an audit log where the cluster shall have one, and are told nothing of it otherwise', () => {
  const intent = operatorIntent({ nodes: 1 });
  const told = (auditLog?: boolean): unknown => {
    const model = new Model({ ...intent, cluster: { ...intent.cluster, auditLog } });
    until(model, 'ready');
    return model.published.get('dc1-0')!.document.cassandra.auditLog;
  };
  assert.deepEqual([told(), told(false), told(true)], [undefined, undefined, true]);
});

test('without authentication no role is made and none is checked', () => {
  const model = new Model(operatorIntent({ nodes: 3, authentication: 'None' }));
  until(model, 'ready');
  assert.ok([...model.kinds.values()].every((said) => said.includes('start-native-transport')));
  assert.equal(model.published.get('dc1-0')!.document.cassandra.authentication, 'AllowAllAuthenticator');
});

test('a node that is down later is named, and nothing is started over', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  until(model, 'ready');
  model.round();
  model.now += 9_000;
  for (const node of model.nodes.slice(1)) model.report(node);
  model.pass();
  assert.equal(model.phase().phase, 'ready');
  assert.match(model.phase().error!.message, /dc1-0 \(10\.0\.2\.4\)/);
  assert.match(model.phase().waitingFor!, /dc1-0 \(10\.0\.2\.4\): it has stopped reporting/);
  assert.equal(model.published.get('dc1-0')!.document.door.state, 'joined');
});

test('a restart of the operator changes no node’s intent, on any rung', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  for (let round = 0; round < 20; round++) {
    model.round();
    const before = [...model.published.values()].map((one) => one.revision);
    model.restartOperator();
    model.pass();
    assert.deepEqual(
      [...model.published.values()].map((one) => one.revision),
      before,
    );
  }
});

test('work that fails is tried anew under another id, and after five tries the data centre is failed', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  const fails = (): void => {
    for (const node of model.nodes) {
      model.enrol(node);
      model.pass();
      model.apply(node);
      model.boot(node);
      const next = node.intent?.document.work.find((one) => !(one.id in node.ledger));
      model.work(node, next?.kind === 'secure-roles');
      model.report(node);
    }
    model.now += 4_000;
  };
  model.tokens('dc1');
  model.pass();
  for (let round = 0; round < 60; round++) fails();
  model.pass();
  assert.equal(model.phase().phase, 'failed');
  assert.match(model.phase().error!.message, /dc1-0 .*: no/);
  until(model, 'ready');
});

test('a Cassandra that died before its check is asked for CQL again', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  until(model, 'securing');
  model.round();
  model.crash(model.nodes[2]!);
  until(model, 'ready');
});

test('a replaced machine in a started ring is kept apart, its Cassandra stopped, its door closed to CQL', () => {
  const model = new Model(operatorIntent({ nodes: 3 }));
  until(model, 'ready');
  const member = model.state.members['dc1-1']!;
  model.state = {
    ...model.state,
    members: { ...model.state.members, 'dc1-1': { ...member, machine: 'another' } },
  };
  const climbed = model.pass();
  const told = climbed.intents.get('dc1-1')!.document;
  assert.equal(told.cassandra.process, 'stopped');
  assert.equal(told.door.state, 'joining');
  assert.equal(told.cassandra.startNativeTransport, false);
  assert.equal(climbed.intents.get('dc1-0')!.document.door.state, 'joined');
  assert.equal(climbed.reports[0]!.error!.code, 'NotYetSupported');
});

test('a second data centre comes after the first, with its seeds, and the roles reach it', () => {
  const model = new Model(operatorIntent({ nodes: 3, dataCenters: 2 }));
  until(model, 'ready', 'dc2', 120);
  const { cassandra, door } = model.published.get('dc2-0')!.document;
  assert.equal(cassandra.seeds.length, 6);
  assert.equal(cassandra.seeds[0], '10.0.2.4');
  assert.equal(door.peers.length, 5);
  assert.deepEqual(model.published.get('dc1-0')!.document.cassandra.seeds.length, 3);
  const roles = [...model.kinds.values()]
    .map((said) => JSON.parse(said))
    .filter((work) => work.kind === 'secure-roles');
  assert.deepEqual(
    roles.map((work) => [work.on, work.authReplication]),
    [
      ['dc1-0', { dc1: 3 }],
      ['dc1-0', { dc1: 3, dc2: 3 }],
    ],
  );
});

const actions = [
  'enrol',
  'tokens',
  'pass',
  'apply',
  'boot',
  'work',
  'fail',
  'report',
  'crash',
  'restart',
  'time',
  'round',
] as const;

test('in any order of events: never open before every check, never ready before every door, and ready in the end', () => {
  const step = fc.tuple(fc.constantFrom(...actions), fc.nat(2));
  const shape = fc.record({
    steps: fc.array(step, { maxLength: 150, size: 'max' }),
    authentication: fc.constantFrom('Cassandra' as const, 'None' as const),
  });
  fc.assert(
    fc.property(shape, ({ steps, authentication }) => {
      const model = new Model(operatorIntent({ nodes: 3, authentication }));
      model.pass();
      for (const [action, index] of steps) {
        const node = model.nodes[index]!;
        if (action === 'restart') model.restartOperator();
        else if (action === 'time') model.now += 1000 * (index + 1) ** 2;
        else if (action === 'pass') model.pass();
        else if (action === 'tokens') model.tokens('dc1');
        else if (action === 'fail') model.work(node, true);
        else if (action === 'round') model.round();
        else model[action](node);
        if (authentication === 'Cassandra') {
          assert.ok(model.secured || !model.nodes.some((one) => one.door === 'joined' && one.native));
        }
        const doors = model.nodes.every((one) => one.door === 'joined');
        assert.ok(doors || model.last!.reports[0]!.phase !== 'ready');
      }
      until(model, 'ready', 'dc1', 80);
    }),
    { numRuns: 500 },
  );
});
