import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterId,
  connectionId,
  createWorld,
  decide,
  endpointBody,
  endpointId,
  makeCluster,
  makeNetwork,
} from '../../test/harness/kinds-world.ts';
import { quotas } from './quotas.ts';

test('who knows an alias can take a few addresses of the provider, and not all; an approved one counts no more', async (t) => {
  const world = createWorld();
  t.after(() => world.stop());
  makeNetwork(world);
  const service = await makeCluster(world);
  const body = { location: 'eastus2', properties: endpointBody(service) };
  world.put(endpointId('pe0'), endpointBody(service));
  const first = connectionId(world, service);
  for (let n = 1; n < quotas.unapprovedEndpoints; n++) world.put(endpointId(`pe${n}`), endpointBody(service));
  const refused = world.refused('PUT', endpointId('more'), body);
  assert.deepEqual([refused.code, refused.status], ['QuotaExceeded', 409]);
  assert.match(refused.message, /10 private endpoints that are not approved/);
  assert.equal(world.store.get(endpointId('more')), undefined);
  // What is there already can still be asked for again.
  assert.equal(world.ask('PUT', endpointId('pe1'), body).status, 200);
  decide(world, first, 'Approved');
  assert.equal(world.ask('PUT', endpointId('more'), body).status, 201);
});

test('clusters are counted by subscription', async (t) => {
  const world = createWorld();
  t.after(() => world.stop());
  for (let n = 0; n < quotas.clusters; n++)
    world.put(clusterId(`c${n}`), { azureConnectionMethod: 'VPN', authenticationMethod: 'None' });
  const body = {
    location: 'eastus2',
    properties: { azureConnectionMethod: 'VPN', authenticationMethod: 'None' },
  };
  assert.equal(world.refused('PUT', clusterId('more'), body).code, 'QuotaExceeded');
});
