/** A part of a virtual network's address space. It may be made by itself, or within a PUT of its network. */
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import { parentOf, sameId } from '../../arm/id.ts';
import type { Kind, KindContext } from '../../arm/kind.ts';
import type { JsonObject, Store } from '../../store/resource.ts';
import { linkServicesInSubnet, usersOfSubnet } from '../claims.ts';
import { fields } from '../fields.ts';
import { networkInterfaceType, type InterfaceProperties } from '../network-interface/schema.ts';
import { securityGroup } from '../network-security-group/schema.ts';
import { isPlatformSubnet, refusePlatform } from '../platform-network.ts';
import { findNamed, type Reference } from '../references.ts';
import { routeTable } from '../route-table/schema.ts';
import { accepted, networkName } from '../rules.ts';
import { endpointServices } from '../service-endpoint-policy-definition/services.ts';
import { servicesOf } from '../service-endpoint-policy/find.ts';
import { endpointPolicy } from '../service-endpoint-policy/schema.ts';
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

  accept(request, existing, context) {
    const { store } = context;
    const networkId = parentOf(request.id)!;
    const network = store.get<VirtualNetworkProperties>(networkId);
    if (!network || network.provisioningState === 'Deleting') {
      throw new ArmError(
        'ParentResourceNotFound',
        `There is no virtual network ${networkId}. Create it first.`,
      );
    }
    const asked = readSubnet(fields(request.properties), existing?.properties);
    const said = isPlatformSubnet(store, request.id.text)
      ? checkPlatformSubnet(request.id.name, asked, existing)
      : asked;
    const place = { subscriptionId: request.id.subscriptionId, location: network.location };
    const properties = checkNamed(context, place, said, existing?.properties);
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

  show: (subnet, { store }) => showSubnet(subnet, store),
  envelope: (subnet) => ({ etag: subnet.etag }),
  beforeDelete(subnet, { store }) {
    if (isPlatformSubnet(store, subnet.id)) refusePlatform(`The subnet '${subnet.name}'`);
    checkUnused(store, subnet);
  },
  locationLists: {
    virtualNetworkAvailableEndpointServices: {
      actionName: 'Microsoft.Network/locations/virtualNetworkAvailableEndpointServices/read',
      list: ({ subscriptionId }) =>
        endpointServices.map((name) => ({
          id: `/subscriptions/${subscriptionId}/providers/Microsoft.Network/virtualNetworkEndpointServices/${name}`,
          name,
          type: 'Microsoft.Network/virtualNetworkEndpointServices',
        })),
    },
  },
};

/** Of the platform's subnets, the operators' alone takes policies, and nothing else. Its security group stays when it isn't named. */
function checkPlatformSubnet(
  name: string,
  asked: SubnetProperties,
  existing: Subnet | undefined,
): SubnetProperties {
  const group = asked.networkSecurityGroup ?? existing?.properties.networkSecurityGroup;
  const said = { ...asked, ...(group && { networkSecurityGroup: group }) };
  const bare = (one: SubnetProperties) => ({
    ...one,
    ...{ serviceEndpointPolicies: undefined, serviceEndpoints: undefined },
  });
  const takesPolicies = name.toLowerCase() === 'operators' || !said.serviceEndpointPolicies;
  if (existing && takesPolicies && isDeepStrictEqual(bare(said), bare(existing.properties))) return said;
  return refusePlatform(`The subnet '${name}'`);
}

export const showSubnet = (subnet: Subnet, store: Pick<Store, 'list'>): JsonObject => ({
  provisioningState: subnet.provisioningState,
  addressPrefix: subnet.properties.prefix,
  delegations: subnet.properties.delegations.map((serviceName, index) => ({
    id: `${subnet.id}/delegations/${index}`,
    name: `${index}`,
    properties: { provisioningState: 'Succeeded', serviceName },
  })),
  privateEndpointNetworkPolicies: subnet.properties.privateEndpointNetworkPolicies,
  privateLinkServiceNetworkPolicies: subnet.properties.privateLinkServiceNetworkPolicies,
  ...showNamed(subnet.properties),
  ...showInterfaces(subnet, store),
});

const showNamed = (subnet: SubnetProperties): JsonObject => ({
  ...(subnet.networkSecurityGroup && { networkSecurityGroup: { id: subnet.networkSecurityGroup.id } }),
  ...(subnet.routeTable && { routeTable: { id: subnet.routeTable.id } }),
  serviceEndpoints: (subnet.serviceEndpoints ?? []).map(({ service, locations }) => ({
    provisioningState: 'Succeeded',
    service,
    locations,
  })),
  ...(subnet.serviceEndpointPolicies && {
    serviceEndpointPolicies: subnet.serviceEndpointPolicies.map(({ id }) => ({ id })),
  }),
  ...(subnet.defaultOutboundAccess !== undefined && { defaultOutboundAccess: subnet.defaultOutboundAccess }),
});

/** Whose addresses lie in it, as ARM shows it: left out where there are none. */
function showInterfaces(subnet: Subnet, store: Pick<Store, 'list'>): JsonObject {
  const all = store
    .list<InterfaceProperties>(networkInterfaceType, `/subscriptions/${subnet.subscriptionId}`)
    .filter(({ properties }) => properties.subnetId !== null && sameId(properties.subnetId, subnet.id));
  if (all.length === 0) return {};
  return {
    ipConfigurations: all.map(({ id, properties }) => ({
      id: `${id}/ipConfigurations/${properties.configurationName}`,
    })),
  };
}

export function checkUnused(store: KindContext['store'], subnet: Subnet): void {
  const users = usersOfSubnet(store, subnet.id);
  if (users.length > 0) refuseInUse(`Subnet '${subnet.name}'`, users);
}

/** What a subnet names, checked where it is new; a policy brings the endpoints of its services with it. */
export function checkNamed(
  context: KindContext,
  place: { readonly subscriptionId: string; readonly location: string | null },
  next: SubnetProperties,
  now: SubnetProperties | undefined,
): SubnetProperties {
  const { networkSecurityGroup: group, routeTable: table, serviceEndpointPolicies: policies } = next;
  if (group && !isSame(group, now?.networkSecurityGroup))
    findNamed(context, 'properties.networkSecurityGroup.id', group, securityGroup, place);
  if (table && !isSame(table, now?.routeTable))
    findNamed(context, 'properties.routeTable.id', table, routeTable, place);
  for (const policy of policies ?? []) {
    if (!now?.serviceEndpointPolicies?.some((other) => isSame(policy, other)))
      findNamed(context, 'properties.serviceEndpointPolicies', policy, endpointPolicy, place);
  }
  const endpoints = next.serviceEndpoints ?? [];
  const missing = servicesOf(context.store, policies ?? []).filter(
    (service) => !endpoints.some((endpoint) => endpoint.service === service),
  );
  if (missing.length === 0) return next;
  const added = missing.map((service) => ({ service, locations: ['*'] }));
  return { ...next, serviceEndpoints: [...endpoints, ...added] };
}

const isSame = (a: Reference, b: Reference | undefined): boolean => b !== undefined && sameId(a.id, b.id);

/** The prefix of a subnet can't change under those who stand in it. */
export function checkChange(
  store: Store,
  id: string,
  existing: Subnet | undefined,
  next: SubnetProperties,
): void {
  if (!existing) return;
  if (next.privateLinkServiceNetworkPolicies !== 'Disabled') {
    const services = linkServicesInSubnet(store, id);
    if (services.length > 0)
      refuseInUse(
        `Subnet '${existing.name}' must keep privateLinkServiceNetworkPolicies Disabled: it`,
        services,
      );
  }
  if (isDeepStrictEqual(existing.properties.prefix, next.prefix)) return;
  const users = usersOfSubnet(store, id);
  if (users.length > 0) refuseInUse(`Subnet '${existing.name}' can't change its prefix: it`, users);
}
