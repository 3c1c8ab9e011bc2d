import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  connected,
  connectionId,
  createWorld,
  dataCenterBody,
  dataCenterId,
  decide,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  type World,
} from '../../../test/harness/kinds-world.ts';

let world: World;
beforeEach(() => void (world = createWorld()));
afterEach(() => world.stop());

/** The operator knows these, or nothing. */
const says = (keyspaces?: readonly string[]): Promise<void> =>
  world.operatorSays('c1', (report) => {
    const said = connected('ready')(report);
    const more = keyspaces && { keyspaces: [...keyspaces] };
    return { ...said, dataCenters: said.dataCenters.map((item) => ({ ...item, ...more })) };
  });

async function build(): Promise<void> {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  world.put(dataCenterId(), dataCenterBody());
  await world.operatorSays();
  await world.fabricApplies();
  await says();
  await world.fabricApplies();
}

const refusal = () => world.refused('DELETE', dataCenterId());

test('a data centre that keyspaces name stays, and they are listed', async () => {
  await build();
  await says(['app', 'quickstart']);
  const { code, status, message } = refusal();
  assert.deepEqual([code, status], ['InUse', 409]);
  assert.match(message, /keyspaces app, quickstart\. .*ALTER KEYSPACE app .*DROP KEYSPACE app/);
  await says(['Odd_Name']);
  assert.match(refusal().message, /keyspace Odd_Name\. .*DROP KEYSPACE "Odd_Name"/);
  await says(Array.from({ length: 30 }, (_, at) => `k${at}`));
  assert.match(refusal().message, /k8, k9 and 20 more/);
  await says([]);
  assert.equal(world.ask('DELETE', dataCenterId()).status, 202);
});

test('what was known last counts: nodes that say nothing, a control that was started again', async () => {
  await build();
  await says(['app']);
  assert.doesNotMatch(refusal().message, /known last/);
  await says();
  assert.match(refusal().message, /keyspace app\..*known last.*--force/);
  world.restart();
  await world.pass(60_000);
  assert.match(refusal().message, /keyspace app\..*known last/);
  await says([]);
  await says();
  assert.equal(world.ask('DELETE', dataCenterId()).status, 202);
});

test('only what isn’t known now can be passed over', async () => {
  await build();
  await says(['app']);
  const forced = () =>
    world.ask('DELETE', dataCenterId(), undefined, undefined, { 'x-ms-force-delete': 'true' });
  assert.throws(forced, /replication of keyspace app/);
  await world.pass(20_000);
  assert.match(refusal().message, /known last/, 'its operator is silent');
  assert.equal(forced().status, 202);
});

test('where nobody ever said, nothing is in the way', async () => {
  await build();
  assert.equal(world.ask('DELETE', dataCenterId()).status, 202);
});

test('with its whole group a data centre goes, whatever its keyspaces', async () => {
  await build();
  await says(['app']);
  assert.equal(world.ask('DELETE', group()).status, 202);
  assert.equal(world.ask('DELETE', dataCenterId()).status, 202);
});
