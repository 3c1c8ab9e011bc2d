import { randomBytes } from 'node:crypto';
import { UserError } from '../../lib/errors.ts';
import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { putResource, waitingWords } from '../arm/operation.ts';
import { groupId, target } from '../arm/target.ts';
import { keepLogin, readLogin } from '../cql/credentials.ts';
import type { Home } from '../home.ts';
import type { Progress } from '../output/progress.ts';
import { decide } from '../private-link-connection/decide.ts';
import { names } from './names.ts';
import { ringUp } from './ring-up.ts';
import type { StepDone } from './report.ts';

/** The five steps of the reference document, each of which does only what is still missing. */
export interface StepContext {
  readonly home: Home;
  readonly customer: ArmClient;
  readonly provider: ArmClient;
}

const properties = (resource: JsonObject): JsonObject => (resource['properties'] ?? {}) as JsonObject;

export const ids = (client: ArmClient) => {
  const id = (type: string, ...path: readonly string[]): string => target(client, names.group, type, ...path);
  return {
    network: id('Microsoft.Network/virtualNetworks', names.network),
    subnet: (name: string) => id('Microsoft.Network/virtualNetworks/subnets', names.network, name),
    cluster: id('Microsoft.DocumentDB/cassandraClusters', names.cluster),
    dataCenter: id('Microsoft.DocumentDB/cassandraClusters/dataCenters', names.cluster, names.dataCenter),
    endpoint: id('Microsoft.Network/privateEndpoints', names.endpoint),
  };
};

/** Makes a resource, or waits until one that is being made is there; a failed one is asked for again. */
async function ensure(
  client: ArmClient,
  id: string,
  what: string,
  body: () => unknown,
  progress: Progress,
): Promise<boolean> {
  const found = await settled(client, id, what, progress);
  if (found && properties(found)['provisioningState'] !== 'Failed') return false;
  await putResource(client, body(), { what, id, progress });
  return true;
}

/** A resource once nothing is under way with it. */
async function settled(
  client: ArmClient,
  id: string,
  what: string,
  progress: Progress,
): Promise<JsonObject | undefined> {
  for (;;) {
    const found = await client.find(id);
    const state = found && properties(found)['provisioningState'];
    if (!['Creating', 'Updating', 'Deleting'].includes(String(state))) return found;
    progress.show(`${what}: ${waitingWords(found)}`);
    await client.clock.sleep(500, client.signal);
    client.signal.throwIfAborted();
  }
}

export async function makeNetwork({ customer }: StepContext, progress: Progress): Promise<StepDone> {
  const group = groupId(customer, names.group);
  let changed = false;
  if (!(await customer.find(group))) {
    await customer.send('PUT', group, { location: names.location });
    changed = true;
  }
  const subnets = Object.entries(names.subnets).map(([name, addressPrefix]) => ({
    name,
    properties: { addressPrefix },
  }));
  const body = {
    location: names.location,
    properties: { addressSpace: { addressPrefixes: [names.addressSpace] }, subnets },
  };
  const made = await ensure(
    customer,
    ids(customer).network,
    `virtual network ${names.network}`,
    () => body,
    progress,
  );
  return { changed: changed || made, note: `${names.network} ${names.addressSpace} in group ${names.group}` };
}

export async function makeCluster({ customer, home }: StepContext, progress: Progress): Promise<StepDone> {
  const id = ids(customer).cluster;
  // Kept before it is sent: a Ctrl-C in between must not lose it.
  const login = (await readLogin(home, id)) ?? {
    cluster: id,
    username: 'cassandra',
    password: randomBytes(24).toString('base64url'),
  };
  const body = () => ({
    location: names.location,
    properties: { azureConnectionMethod: 'VPN', initialCassandraAdminPassword: login.password },
  });
  if (!(await customer.find(id))) await keepLogin(home, login);
  const changed = await ensure(customer, id, `cluster ${names.cluster}`, body, progress);
  return { changed, note: `${names.cluster}, connection method VPN` };
}

export async function readService({ customer }: StepContext): Promise<StepDone> {
  const service = serviceOf(await customer.get(ids(customer).cluster));
  return { changed: false, note: `private link service ${service.split('/').at(-1)}` };
}

export async function makeEndpoint(
  { customer, provider }: StepContext,
  progress: Progress,
): Promise<StepDone> {
  const { cluster, endpoint, subnet } = ids(customer);
  const service = serviceOf(await customer.get(cluster));
  const made = await ensure(
    customer,
    endpoint,
    `private endpoint ${names.endpoint}`,
    () => endpointBody(service, subnet('pe')),
    progress,
  );
  const state = connectionState(await customer.get(endpoint));
  if (state === 'Approved')
    return { changed: made, note: `${names.endpoint} at ${names.endpointAddress}, approved` };
  if (state !== 'Pending') {
    throw new UserError(
      'EndpointNotUsable',
      `Private endpoint ${names.endpoint} is ${state}: somebody has decided so.`,
      `sallyport network private-endpoint show -g ${names.group} -n ${names.endpoint}`,
    );
  }
  progress.show('pending: only the provider approves it, so the provider does now');
  const connections = await provider.list(`${service}/privateEndpointConnections`);
  const mine = connections.find(
    (each) =>
      String((properties(each)['privateEndpoint'] as JsonObject | undefined)?.['id']).toLowerCase() ===
      endpoint.toLowerCase(),
  );
  if (!mine)
    throw new UserError(
      'NoConnection',
      `The provider does not see the connection of ${names.endpoint}.`,
      'sallyport logs control',
    );
  await decide(provider, String(mine['id']), 'Approved', 'quickstart', progress);
  return {
    changed: true,
    note: `${names.endpoint} at ${names.endpointAddress}, was Pending, approved by the provider`,
  };
}

export async function readAddress({ customer }: StepContext): Promise<StepDone> {
  return { changed: false, note: `its network interface has ${await endpointAddress(customer)}` };
}

export async function makeDataCenter({ customer }: StepContext, progress: Progress): Promise<StepDone> {
  const { dataCenter, subnet } = ids(customer);
  const address = await endpointAddress(customer);
  const body = () => ({
    properties: {
      dataCenterLocation: names.location,
      delegatedSubnetId: subnet('cass'),
      nodeCount: names.nodes,
      privateEndpointIpAddress: address,
    },
  });
  const changed = await ensure(customer, dataCenter, `data centre ${names.dataCenter}`, body, progress);
  await ringUp(customer, ids(customer).cluster, progress);
  return { changed, note: `${names.dataCenter}, ${names.nodes} nodes behind ${address}` };
}

function endpointBody(service: string, subnetId: string): unknown {
  return {
    location: names.location,
    properties: {
      subnet: { id: subnetId },
      ipVersionType: 'IPv4',
      customNetworkInterfaceName: names.endpointInterface,
      ipConfigurations: [{ name: 'ip1', properties: { privateIPAddress: names.endpointAddress } }],
      manualPrivateLinkServiceConnections: [
        {
          name: names.connection,
          properties: { privateLinkServiceId: service, requestMessage: `cluster ${names.cluster}` },
        },
      ],
    },
  };
}

async function endpointAddress(client: ArmClient): Promise<string> {
  const endpoint = properties(await client.get(ids(client).endpoint));
  const [nic] = endpoint['networkInterfaces'] as readonly { readonly id: string }[];
  const configurations = properties(await client.get(nic!.id))['ipConfigurations'] as readonly JsonObject[];
  return String(properties(configurations[0]!)['privateIPAddress']);
}

function connectionState(endpoint: JsonObject): string {
  const lists = [
    properties(endpoint)['manualPrivateLinkServiceConnections'],
    properties(endpoint)['privateLinkServiceConnections'],
  ];
  const [connection] = lists.flatMap((list) => (list ?? []) as readonly JsonObject[]);
  const state =
    connection && (properties(connection)['privateLinkServiceConnectionState'] as JsonObject | undefined);
  return String(state?.['status'] ?? 'without a connection');
}

function serviceOf(cluster: JsonObject): string {
  const service = properties(cluster)['privateLinkResourceId'];
  if (typeof service === 'string') return service;
  throw new UserError(
    'NoService',
    `Cluster ${names.cluster} has no private link service.`,
    `sallyport managed-cassandra cluster show -g ${names.group} -c ${names.cluster}`,
  );
}
