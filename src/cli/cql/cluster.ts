import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { target } from '../arm/target.ts';
import { UserError } from '../../lib/errors.ts';

/** What a client of a cluster needs to know. */
export interface ClusterAccess {
  readonly id: string;
  readonly dataCenter: string;
  readonly nodes: readonly string[];
  /** PEM. */
  readonly authority: string;
  /** ARM id of the virtual network its nodes stand in. */
  readonly network: string;
}

/** The cluster that a caller means: the named one, or the only one they have. */
export async function findCluster(
  client: ArmClient,
  wish: { readonly cluster?: string | undefined; readonly group?: string | undefined },
): Promise<JsonObject> {
  if (wish.cluster !== undefined && wish.group !== undefined) {
    return client.get(target(client, wish.group, 'Microsoft.DocumentDB/cassandraClusters', wish.cluster));
  }
  const all = await client.list(
    `/subscriptions/${client.subscriptionId}/providers/Microsoft.DocumentDB/cassandraClusters`,
  );
  const found = all.filter(
    ({ name }) => wish.cluster === undefined || String(name).toLowerCase() === wish.cluster.toLowerCase(),
  );
  if (found.length === 1) return found[0]!;
  if (all.length === 0)
    throw new UserError('NoCluster', 'There is no cluster in this subscription.', 'sallyport quickstart');
  const names = all.map(({ name }) => String(name)).join(', ');
  throw found.length === 0
    ? new UserError(
        'NoSuchCluster',
        `There is no cluster '${wish.cluster}'. There are: ${names}.`,
        'Name one of them with --cluster-name.',
      )
    : new UserError(
        'WhichCluster',
        `There are several clusters: ${names}.`,
        'Name one with --cluster-name and --resource-group.',
      );
}

export async function accessTo(client: ArmClient, cluster: JsonObject): Promise<ClusterAccess> {
  const id = String(cluster['id']);
  const dataCenters = await client.list(`${id}/dataCenters`);
  const status = await client.get(`${id}/status`);
  const properties = cluster['properties'] as JsonObject;
  const authorities = (properties['clientCertificateAuthorities'] ?? []) as readonly {
    readonly pem: string;
  }[];
  const first = dataCenters[0];
  const seen = ((status['dataCenters'] ?? []) as readonly JsonObject[])[0];
  const nodes = ((seen?.['nodes'] ?? []) as readonly JsonObject[]).map(({ address }) => String(address));
  if (!first || nodes.length === 0 || authorities.length === 0) {
    throw new UserError(
      'NoNodes',
      `Cluster ${String(cluster['name'])} has no node that could be asked yet.`,
      'sallyport managed-cassandra datacenter list shows how far it is',
    );
  }
  const subnet = String((first['properties'] as JsonObject)['delegatedSubnetId']);
  return {
    id,
    dataCenter: String(first['name']),
    nodes,
    authority: authorities.map(({ pem }) => pem).join('\n'),
    network: subnet.replace(/\/subnets\/[^/]+$/i, ''),
  };
}
