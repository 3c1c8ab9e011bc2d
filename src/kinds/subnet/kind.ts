/** A part of a virtual network's address space. It may be made by itself, or within a PUT of its network. */
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import { parentOf } from '../../arm/id.ts';
import type { Kind, KindContext } from '../../arm/kind.ts';
import type { JsonObject, Store } from '../../store/resource.ts';
import { usersOfSubnet } from '../claims.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { checkSubnets, type VirtualNetworkProperties } from '../virtual-network/schema.ts';
import {
  readSubnet,
  refuseInUse,
  subnetType,
  type SubnetProperties,
  type Subnet,
  type SubnetState,
} from './schema.ts';

export const subnetsOf = (store: Pick<Store, 'list'>, networkId: string): readonly Subnet[] =>
  store.list<SubnetProperties, SubnetState>(subnetType, networkId);

export const subnetKind: Kind<SubnetProperties, SubnetState> = {
  type: subnetType,
  summary: 'A subnet of a virtual network.',
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, { store }) {
    const networkId = parentOf(request.id)!;
    const network = store.get<VirtualNetworkProperties>(networkId);
    if (!network || network.provisioningState === 'Deleting') {
      throw new ArmError(
        'ParentResourceNotFound',
        `There is no virtual network ${networkId}. Create it first.`,
      );
    }
    const properties = readSubnet(fields(request.properties), existing?.properties);
    checkChange(store, request.id.text, existing, properties);
    const others = subnetsOf(store, networkId).filter(
      (subnet) => subnet.name.toLowerCase() !== request.id.name.toLowerCase(),
    );
    checkSubnets(network.properties.prefixes, [
      ...others.map((subnet) => ({ name: subnet.name, prefix: subnet.properties.prefix })),
      { name: request.id.name, prefix: properties.prefix },
    ]);
    return accepted(existing, properties, {});
  },

  show: (subnet) => showSubnet(subnet),
  envelope: (subnet) => ({ etag: subnet.etag }),
  beforeDelete: (subnet, { store }) => checkUnused(store, subnet),
};

export const showSubnet = (subnet: Subnet): JsonObject => ({
  provisioningState: subnet.provisioningState,
  addressPrefix: subnet.properties.prefix,
  delegations: subnet.properties.delegations.map((serviceName, index) => ({
    id: `${subnet.id}/delegations/${index}`,
    name: `${index}`,
    properties: { provisioningState: 'Succeeded', serviceName },
  })),
  privateEndpointNetworkPolicies: subnet.properties.privateEndpointNetworkPolicies,
  privateLinkServiceNetworkPolicies: subnet.properties.privateLinkServiceNetworkPolicies,
});

export function checkUnused(store: KindContext['store'], subnet: Subnet): void {
  const users = usersOfSubnet(store, subnet.id);
  if (users.length > 0) refuseInUse(`Subnet '${subnet.name}'`, users);
}

/** The prefix of a subnet can't change under those who stand in it. */
export function checkChange(
  store: Store,
  id: string,
  existing: Subnet | undefined,
  next: SubnetProperties,
): void {
  if (!existing || isDeepStrictEqual(existing.properties.prefix, next.prefix)) return;
  const users = usersOfSubnet(store, id);
  if (users.length > 0) refuseInUse(`Subnet '${existing.name}' can't change its prefix: it`, users);
}
