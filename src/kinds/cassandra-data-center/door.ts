import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { Resource, Store } from '../../store/resource.ts';
import { claimsIn, endpointsIn } from '../claims.ts';
import { connectionStatus } from '../private-endpoint/connection.ts';
import type { EndpointProperties, EndpointState } from '../private-endpoint/schema.ts';
import { approveAction } from '../private-link-connection/schema.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';

const target = 'properties.privateEndpointIpAddress';

/**
 * The private endpoint that nodes of a virtual network shall dial: it must have the address, lead to this cluster, and be
 * approved. Each way not to be says what the address is, and what to do.
 */
export function findDoor(
  store: Store,
  cluster: Cluster,
  networkId: string,
  address: string,
): Resource<EndpointProperties, EndpointState> {
  const network = networkId.split('/').at(-1);
  const endpoint = endpointsIn(store, networkId).find(
    (item) => item.state.address === address && item.provisioningState !== 'Deleting',
  );
  const serviceId = cluster.state.linkServiceId;
  if (!endpoint) {
    const owner = claimsIn(store, networkId).get(address);
    throw new ArmError(
      'InvalidParameter',
      `${target}: ${address} is ${owner ? `the address of ${owner}` : 'no address in use'} in virtual network '${network}'; it must be that of a ` +
        `private endpoint to ${serviceId}. Create one there: sallyport network private-endpoint create.`,
      { target },
    );
  }
  if (!sameId(endpoint.state.serviceId, serviceId)) {
    throw new ArmError(
      'InvalidParameter',
      `${target}: ${address} is private endpoint '${endpoint.name}', which leads to ${endpoint.state.serviceId}; this cluster's private link ` +
        `service is ${serviceId}. Create a private endpoint to that one.`,
      { target },
    );
  }
  const { status } = connectionStatus(store, endpoint);
  if (status !== 'Approved') throw new ArmError('Conflict', notApproved(endpoint, status), { target });
  return endpoint;
}

/** Says the state of an endpoint's connection, and who can change it how. */
export function notApproved(
  endpoint: { readonly name: string; readonly state: EndpointState },
  status: string,
): string {
  const said = `Private endpoint '${endpoint.name}' (${endpoint.state.address}) is ${status}, not Approved.`;
  if (status === 'Disconnected')
    return `${said} The provider removed its connection for good: delete it and create another.`;
  return (
    `${said} Whoever has ${approveAction} on the private link service can approve it, as the provider has: ` +
    `sallyport network private-endpoint-connection approve --id ${endpoint.state.connectionId} --as provider`
  );
}
