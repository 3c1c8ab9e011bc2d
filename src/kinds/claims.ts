import { sameId } from '../arm/id.ts';
import type { Store } from '../store/resource.ts';
import type { Claims } from './addresses.ts';
import { clusterType, type ClusterProperties, type ClusterState } from './cassandra-cluster/schema.ts';
import {
  dataCenterType,
  type DataCenterProperties,
  type DataCenterState,
} from './cassandra-data-center/schema.ts';
import { platform } from './platform.ts';
import {
  privateEndpointType,
  type EndpointProperties,
  type EndpointState,
} from './private-endpoint/schema.ts';
import {
  privateLinkConnectionType,
  type ConnectionProperties,
  type ConnectionState,
} from './private-link-connection/schema.ts';
import {
  privateLinkServiceType,
  type LinkService,
  type LinkServiceProperties,
  type LinkServiceState,
} from './private-link-service/schema.ts';
import {
  virtualNetworkType,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './virtual-network/schema.ts';

type Reading = Pick<Store, 'get' | 'list'>;

/** The virtual network of a subnet's id. */
export const networkOf = (subnetId: string): string => subnetId.replace(/\/subnets\/[^/]+$/i, '');

export const endpointsIn = (store: Reading, networkId: string) =>
  store
    .list<EndpointProperties, EndpointState>(privateEndpointType)
    .filter((endpoint) => sameId(networkOf(endpoint.properties.subnetId), networkId));

export const dataCentersIn = (store: Reading, networkId: string) =>
  store
    .list<DataCenterProperties, DataCenterState>(dataCenterType)
    .filter((dataCenter) => sameId(networkOf(dataCenter.properties.subnetId), networkId));

/** Private link services of people's own, whose translated addresses lie in a network. */
export const linkServicesIn = (store: Reading, networkId: string): readonly LinkService[] =>
  store
    .list<LinkServiceProperties, LinkServiceState>(privateLinkServiceType)
    .filter(({ properties }) =>
      properties.own?.ipConfigurations.some(({ subnetId }) => sameId(networkOf(subnetId), networkId)),
    );

/** Every address of a virtual network that somebody has, those being deleted included. */
export function claimsIn(store: Reading, networkId: string): Claims {
  const claims = new Map<string, string>();
  const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(networkId);
  const application = network?.type === virtualNetworkType ? network.state.application : null;
  if (application) claims.set(application.address, "the network's application machine");
  for (const endpoint of endpointsIn(store, networkId))
    claims.set(endpoint.state.address, `private endpoint '${endpoint.name}'`);
  for (const service of linkServicesIn(store, networkId)) {
    for (const { address } of service.properties.own?.ipConfigurations ?? [])
      claims.set(address, `private link service '${service.name}'`);
  }
  for (const dataCenter of dataCentersIn(store, networkId)) {
    for (const node of dataCenter.state.nodes)
      claims.set(node.address, `node '${node.name}' of data centre '${dataCenter.name}'`);
  }
  return claims;
}

export const linkServicesInSubnet = (store: Reading, subnetId: string): readonly string[] =>
  linkServicesIn(store, networkOf(subnetId))
    .filter(({ properties }) =>
      properties.own?.ipConfigurations.some((item) => sameId(item.subnetId, subnetId)),
    )
    .map((service) => `private link service ${service.id}`);

/** Who stands in a subnet, in words; the application machine moves out of the way and isn't named. */
export function usersOfSubnet(store: Reading, subnetId: string): readonly string[] {
  const networkId = networkOf(subnetId);
  return [
    ...endpointsIn(store, networkId)
      .filter((endpoint) => sameId(endpoint.properties.subnetId, subnetId))
      .map((endpoint) => `private endpoint ${endpoint.id}`),
    ...dataCentersIn(store, networkId)
      .filter((dataCenter) => sameId(dataCenter.properties.subnetId, subnetId))
      .map((dataCenter) => `data centre ${dataCenter.id}`),
    ...linkServicesInSubnet(store, subnetId),
  ];
}

/** Addresses of the platform's own network. */
export function platformClaims(store: Reading): Claims {
  const claims = new Map<string, string>([[platform.controlDoor.address, 'the control door']]);
  for (const cluster of store.list<ClusterProperties, ClusterState>(clusterType)) {
    claims.set(cluster.state.operator.address, `the operator of cluster ${cluster.id}`);
  }
  for (const connection of store.list<ConnectionProperties, ConnectionState>(privateLinkConnectionType)) {
    claims.set(connection.state.natAddress, `connection ${connection.id}`);
  }
  return claims;
}
