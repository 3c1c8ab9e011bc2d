/** What a change leads to: the work that it concerns, and no more. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  clusterId,
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
  networkId,
  type World,
} from '../../test/harness/kinds-world.ts';
import { fabricIntent } from './fabric-intent.ts';
import { settingsOf } from './settings.ts';

let world: World;
beforeEach(async () => {
  world = createWorld();
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  world.put(dataCenterId(), dataCenterBody());
  await world.fabricApplies();
  await world.operatorSays();
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  await world.settle();
});
afterEach(() => world.stop());

/** How many looks the next pass takes. */
async function looks(): Promise<number> {
  await world.settle();
  const { kinds } = world.kinds.passes!() as { kinds: { status: { unchanged: number } } };
  return kinds.status.unchanged;
}

test('at rest nothing is looked at; a write leads to few of many', async () => {
  assert.equal(await looks(), 0);
  for (let at = 0; at < 100; at++)
    world.put(networkId(`other${at}`), { addressSpace: { addressPrefixes: ['10.9.0.0/16'] } });
  await world.fabricApplies();
  assert.ok((await looks()) <= 1);
  world.put(networkId('other7'), { addressSpace: { addressPrefixes: ['10.8.0.0/16'] } });
  const led = await looks();
  assert.ok(led > 0 && led < 10, String(led));
});

test('a report that says the same again leads to nothing', async () => {
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  assert.equal(await looks(), 0);
});

test('an operator that falls silent is missed when its time is up, and no longer when it speaks again', async () => {
  const waiting = (): unknown => world.get(clusterId()).properties['waitingFor'];
  await world.operatorSays('c1', connected('ready'));
  await world.pass(14_000);
  assert.equal(waiting(), undefined);
  await world.pass(2_000);
  await world.pass(15_000);
  assert.match(String(waiting()), /doesn't report/);
  await world.operatorSays('c1', connected('ready'));
  assert.equal(waiting(), undefined);
});

test('a clock that is set back hides no operator that falls silent', async () => {
  await world.operatorSays('c1', connected('ready'));
  await world.pass(-3_600_000);
  await world.operatorSays('c1', connected('ready'));
  for (const ms of [16_000, 16_000]) await world.pass(ms);
  assert.match(String(world.get(clusterId()).properties['waitingFor']), /doesn't report/);
});

test('the document for the fabric is the one that a start would make, after each change', async () => {
  const check = (): void =>
    assert.deepEqual(
      world.kinds.fabricIntent().document,
      fabricIntent(world.store, settingsOf(world.store), []),
    );
  check();
  decide(
    world,
    connectionId(world, String(world.get(clusterId()).properties['privateLinkResourceId'])),
    'Rejected',
  );
  check();
  assert.throws(() =>
    world.store.transaction(() => {
      world.store.remove(endpointId());
      check();
      throw new Error('no');
    }),
  );
  check();
  world.store.remove(networkId());
  check();
});

test('its revision stays where nothing of it changed, and is the same after a start', async () => {
  const { revision } = world.kinds.fabricIntent();
  world.put(networkId('other'), { addressSpace: { addressPrefixes: ['10.9.0.0/16'] } });
  const next = world.kinds.fabricIntent().revision;
  assert.notEqual(next, revision);
  world.store.retag(networkId('other'), { owner: 'us' }, 'me');
  assert.equal(world.kinds.fabricIntent().revision, next);
  world.restart();
  assert.equal(world.kinds.fabricIntent().revision, next);
});

/** The store of a control whose disk is full as long as `full` says so: no transaction is kept. */
function fill(): { full: boolean } {
  const disk = { full: false };
  const { store } = world;
  const { transaction } = store;
  let depth = 0;
  Object.assign(store, {
    transaction: <T>(work: () => T): T =>
      transaction(() => {
        depth++;
        try {
          const done = work();
          if (disk.full && depth === 1) throw new Error('the disk is full');
          return done;
        } finally {
          depth--;
        }
      }),
  });
  world.restart();
  return disk;
}

test('what a pass could not keep is done once it can be', async () => {
  const disk = fill();
  await world.fabricApplies();
  await world.operatorSays('c1', connected('ready'));
  const others = Array.from({ length: 200 }, (_, at) => networkId(`other${at}`));
  for (const id of others) world.put(id, { addressSpace: { addressPrefixes: ['10.9.0.0/16'] } });
  disk.full = true;
  await world.settle();
  disk.full = false;
  await world.fabricApplies();
  for (const id of others) assert.equal(world.get(id).properties['provisioningState'], 'Succeeded', id);
});

test('what a pass put beside a resource, and could not keep, is put once it can be', async () => {
  const disk = fill();
  await world.settle();
  const nic = world.store
    .list('Microsoft.Network/networkInterfaces', group())
    .find(({ properties }) => properties['ownerId'] === dataCenterId());
  world.store.remove(nic!.id);
  disk.full = true;
  await world.settle();
  assert.equal(world.store.get(nic!.id), undefined);
  disk.full = false;
  await world.settle();
  assert.equal(world.store.get(nic!.id)?.provisioningState, 'Succeeded');
});

test('what was said of a cluster says nothing of the next one of its name', async () => {
  world.store.remove(dataCenterId());
  world.store.remove(endpointId());
  await world.settle();
  world.ask('DELETE', clusterId());
  await world.fabricApplies();
  assert.equal(world.store.get(clusterId()), undefined);
  world.put(clusterId(), { azureConnectionMethod: 'VPN', initialCassandraAdminPassword: 'password' });
  await world.settle();
  assert.match(String(world.get(clusterId()).properties['waitingFor']), /machine is being started/);
});
