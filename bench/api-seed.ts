/**
 * A control folder as after years of use: clusters with three data centres each, their doors, nodes and interfaces, all
 * Succeeded. The rows are those of one real how-to, renamed; no client could make so many on one machine in a reasonable time.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { hashSecret } from '../src/identity/secrets.ts';
import { kinds } from '../src/kinds/registry.ts';
import { show } from '../src/arm/envelope.ts';
import { groupType } from '../src/arm/lookup.ts';
import { clusterSecrets } from '../src/kinds/cassandra-cluster/schema.ts';
import { setSettings } from '../src/kinds/settings.ts';
import { systemClock } from '../src/lib/clock.ts';
import type { JsonObject, Resource } from '../src/store/resource.ts';
import { masterKeyIn, openStore, type ControlStore } from '../src/store/store.ts';
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
  networkId,
  provider,
} from '../test/harness/kinds-world.ts';

export interface Seed {
  readonly group: string;
  readonly clusters: readonly string[];
  /** Application ids of principals that own the subscription, with their secrets. */
  readonly principals: readonly { readonly clientId: string; readonly secret: string }[];
  /** What a GET of each cluster and data centre shows, by lower-case id. */
  readonly shown: ReadonlyMap<string, JsonObject>;
}

/** Rows of one cluster as the how-to leaves them. */
async function template(): Promise<readonly Resource[]> {
  const world = createWorld();
  try {
    makeNetwork(world);
    const service = await makeCluster(world);
    world.put(endpointId(), endpointBody(service, '10.0.1.10'));
    decide(world, connectionId(world, service), 'Approved');
    for (const name of ['dc1', 'dc2', 'dc3']) {
      world.put(dataCenterId(name), dataCenterBody());
      await world.fabricApplies();
      await world.operatorSays();
      await world.operatorSays('c1', connected('ready'));
      await world.fabricApplies();
    }
    const ready = world.store.get(dataCenterId('dc3'))!;
    if (ready.provisioningState !== 'Succeeded') throw new Error(`the pattern is ${ready.provisioningState}`);
    return world.store.below('/subscriptions').filter(({ type }) => type !== groupType);
  } finally {
    world.stop();
  }
}

export async function seedControl(folder: string, clusters: number, principals: number): Promise<Seed> {
  const rows = await template();
  const secrets = Array.from({ length: principals }, () => ({
    clientId: randomUUID(),
    secret: `s-${randomUUID()}`,
  }));
  const party = ({ subscription, principalId, displayName }: typeof customer) => ({
    subscriptionId: subscription,
    clientId: principalId,
    secret: `s-${randomUUID()}`,
    displayName,
  });
  const parties = { tenantId: randomUUID(), provider: party(provider), customer: party(customer) };
  await writeFile(join(folder, 'bootstrap.json'), JSON.stringify(parties), { mode: 0o600 });

  const store = openStore({
    path: join(folder, 'sallyport.db'),
    masterKey: await masterKeyIn(folder),
    clock: systemClock,
  });
  const hashes = await Promise.all(secrets.map(({ secret }) => hashSecret(secret)));
  const ids: string[] = [];
  store.transaction(() => {
    store.putOwned({ id: group(), type: groupType, location: 'eastus2', properties: {}, state: {} });
    for (let at = 0; at < clusters; at++) ids.push(put(store, rows, at));
    for (const [index, { clientId }] of secrets.entries()) {
      store.principals.put({
        clientId,
        objectId: randomUUID(),
        displayName: `client ${index}`,
        secretHash: hashes[index]!,
      });
      store.principals.assign({
        principal: clientId,
        role: 'Owner',
        scope: `/subscriptions/${customer.subscription}`,
      });
    }
  });
  setSettings(store, {
    providerSubscription: provider.subscription,
    location: 'eastus2',
    accounts: [],
    operatorAuthority: 'PEM',
    heapMegabytes: 512,
    availableMegabytes: () => null,
    levels: { fabric: () => undefined, operator: () => undefined },
  });
  const shown = new Map<string, JsonObject>();
  for (const kind of kinds.filter(({ operations }) => operations === 'documentdb')) {
    for (const row of store.list(kind.type)) shown.set(row.id.toLowerCase(), show(kind, row, store));
  }
  store.close();
  return { group: group(), clusters: ids, principals: secrets, shown };
}

/** As long as one of the authorities' is. */
const certificate = `-----BEGIN CERTIFICATE-----\n${`${'A'.repeat(64)}\n`.repeat(9)}-----END CERTIFICATE-----\n`;

/** One more cluster with all that belongs to it: every name, address and random word of the pattern is another one. */
function put(store: ControlStore, rows: readonly Resource[], at: number): string {
  const cluster = rows.find(({ id }) => id === clusterId())!;
  const { identity } = cluster.state as { identity: string };
  const fresh = randomUUID();
  const words: readonly (readonly [string | RegExp, string])[] = [
    [identity, fresh],
    [/"(CLIENT|INTERNODE)"/g, JSON.stringify(certificate)],
    [new RegExp(identity.slice(0, 8), 'g'), fresh.slice(0, 8)],
    [new RegExp(`${clusterId()}(?=["/])`, 'g'), clusterId(`cluster-${at}`)],
    [new RegExp(`${endpointId()}(?=["/])`, 'g'), endpointId(`endpoint-${at}`)],
    [new RegExp(`${networkId()}(?=["/])`, 'g'), networkId(`network-${at}`)],
    [/"172\.31\.(\d+)\.(\d+)"/g, `"172.31.${16 + (at >> 7)}.${(at & 127) + 1}"`],
    // An operator's interface and machine are named after it; those of the others end in what is their own.
    [/operator-[0-9a-f]{8}-[0-9a-f]{4}/g, `$&-${at}`],
    [/((?:networkInterfaces|virtualMachines)\/(?!operator-)[^"]+)/g, `$1-${at}`],
    [/("(?:machine|network|link)":"(?!operator-)[^"]+)"/g, `$1-${at}"`],
  ];
  const renamed = (text: string): string =>
    words.reduce((all, [from, to]) => all.replaceAll(from as string, to), text);
  for (const row of rows) {
    const next = JSON.parse(renamed(JSON.stringify(row))) as Resource;
    store.write({ ...next, by: customer.principalId, verb: 'PUT', operationIn: null });
  }
  store.secrets.set(clusterSecrets(fresh).servicePassword, 'not used');
  return clusterId(`cluster-${at}`);
}
