import type { AnyKind } from '../../../src/arm/kind.ts';
import { kinds } from '../../../src/kinds/registry.ts';
import type { Json, JsonObject } from '../../../src/store/resource.ts';
import {
  clusterId,
  connected,
  connectionId,
  createWorld,
  customer,
  dataCenterBody,
  dataCenterId,
  decide,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  provider,
  type World,
} from '../../harness/kinds-world.ts';
import { climb, type Instance } from './learn.ts';
import { leavesIn } from './paths.ts';

export interface FuzzWorld {
  readonly world: World;
  /** One of each kind that there is one of. */
  readonly instances: readonly Instance[];
  /** Kinds of which none could be made. */
  readonly without: readonly AnyKind[];
  /** Values that mean something in this world. */
  readonly pool: readonly Json[];
}

/** A world after the how-to, everything Succeeded, and one resource of every other kind that can be made. */
export async function fuzzWorld(): Promise<FuzzWorld> {
  const world = createWorld();
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  world.put(dataCenterId(), dataCenterBody());
  await world.fabricApplies();
  await world.operatorSays();
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  if (world.get(dataCenterId()).properties['provisioningState'] !== 'Succeeded')
    throw new Error('the data centre is not ready');

  const instances: Instance[] = [];
  const without: AnyKind[] = [];
  const pool = (): readonly Json[] => [
    ...new Set<Json>([
      ...instances.flatMap(({ id, body }) => [id, ...leavesIn(body)]),
      ...['10.0.4.0/24', '10.0.0.0/16', '10.0.1.11', '10.0.1.10', 'eastus2', 'Standard_E16s_v5'],
      ...['Cassandra', 'None', 'VPN', clusterId('c2'), 100, 3, 4, true],
    ]),
  ];
  const deepLast = kinds.toSorted((a, b) => a.type.split('/').length - b.type.split('/').length);
  for (const kind of deepLast) {
    const found = world.store.list(kind.type)[0];
    if (found) {
      const as = found.subscriptionId === provider.subscription ? provider : customer;
      instances.push({ kind, id: found.id, body: world.ask('GET', found.id, undefined, as).body!, as });
      continue;
    }
    const made = await make(world, kind, instances, pool());
    if (made) instances.push(made);
    else without.push(kind);
  }
  return { world, instances, without, pool: pool() };
}

async function make(
  world: World,
  kind: AnyKind,
  instances: readonly Instance[],
  pool: readonly Json[],
): Promise<Instance | undefined> {
  if (!kind.verbs.includes('PUT')) return undefined;
  const types = kind.type.split('/');
  const word = types.at(-1)!;
  const parent = instances.find((one) => one.kind.type === types.slice(0, -1).join('/'));
  if (!parent && types.length > 2) return undefined;
  const id = parent ? `${parent.id}/${word}/one` : `${group()}/providers/${kind.type}/one`;
  const made = climb(world, kind, id, pool, parent?.as ?? customer);
  if (!made) return undefined;
  world.ask('PUT', id, made.body, made.as);
  await world.fabricApplies();
  const body = world.ask('GET', id, undefined, made.as).body as JsonObject;
  return { ...made, body };
}
