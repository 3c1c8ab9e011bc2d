import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { reconcileGroupDeletion } from '../arm/group-deletion.ts';
import type { ArmContext } from '../arm/wire.ts';
import {
  clusterId,
  connectionId,
  createWorld,
  decide,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  networkId,
} from '../../test/harness/kinds-world.ts';
import { kinds } from './registry.ts';

test('a group with a network, a cluster and its approved endpoint: each goes when it can, and all are gone', async (t) => {
  const world = createWorld();
  t.after(() => world.stop());
  makeNetwork(world);
  await world.fabricApplies();
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  let now = Date.parse('2026-11-24T11:00:00Z');
  const cx: ArmContext = {
    store: world.store,
    kinds,
    clock: { now: () => now, sleep: async () => undefined },
    tenantId: randomUUID(),
    location: 'eastus2',
    may: () => true,
    wake: () => undefined,
  };
  const first = world.ask('DELETE', group());
  assert.equal(first.status, 202);
  const operation = world.store.operations.running(group())!;
  const stalled = new Map<string, number>();
  const order: string[] = [];
  const there = (): readonly string[] =>
    [clusterId(), endpointId(), networkId()].filter((id) => world.store.get(id) !== undefined);
  for (let pass = 0; pass < 30 && world.store.get(group())?.provisioningState === 'Deleting'; pass++) {
    const before = there();
    reconcileGroupDeletion(cx, world.store.get(group())!, operation, stalled);
    await world.fabricApplies();
    order.push(...before.filter((id) => !there().includes(id)));
    now += 1_000;
  }
  assert.equal(world.store.operations.get(operation.id)?.fault, null);
  assert.equal(world.store.get(group()), undefined);
  assert.deepEqual(order.at(-1), networkId(), 'what all stood on went last');
});
