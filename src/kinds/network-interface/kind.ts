/** A network interface: made by the service for what it belongs to, and read-only to everybody. */
import type { Kind } from '../../arm/kind.ts';
import { parseArmId } from '../../arm/id.ts';
import type { JsonObject, Resource, Store } from '../../store/resource.ts';
import { privateEndpointType, type EndpointProperties } from '../private-endpoint/schema.ts';
import { privateLinkServiceType } from '../private-link-service/schema.ts';
import { networkName } from '../rules.ts';
import type { SubnetProperties } from '../subnet/schema.ts';
import { machineIdOf, virtualMachineType } from '../virtual-machine/schema.ts';
import { effectiveGroups, effectiveRouteTable } from './effective.ts';
import { networkInterfaceType, type InterfaceProperties, type InterfaceState } from './schema.ts';

export const networkInterfaceKind: Kind<InterfaceProperties, InterfaceState> = {
  type: networkInterfaceType,
  summary:
    'A network interface, made with the private endpoint, service, node or operator that it belongs to.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET'],
  accept: () => {
    throw new Error('A network interface has no PUT.');
  },
  show: (row, { store }) => ({
    provisioningState: row.provisioningState,
    ipConfigurations: [showConfiguration(row, store)],
    enableIPForwarding: false,
    nicType: 'Standard',
    ...showOwner(row, store),
  }),
  envelope: (row) => ({ etag: row.etag }),
  actions: {
    effectiveNetworkSecurityGroups: {
      method: 'POST',
      actionName: `${networkInterfaceType}/effectiveNetworkSecurityGroups/action`,
      later: true,
      run: (row, _, { store }) => effectiveGroups(store, row),
    },
    effectiveRouteTable: {
      method: 'POST',
      actionName: `${networkInterfaceType}/effectiveRouteTable/action`,
      later: true,
      run: (row, _, { store }) => effectiveRouteTable(store, row),
    },
  },
};

type Row = Resource<InterfaceProperties, InterfaceState>;
type Reading = Pick<Store, 'get' | 'list'>;

function showConfiguration({ id, properties: nic }: Row, store: Reading): JsonObject {
  const endpoint = isOf(nic, privateEndpointType) ? store.get<EndpointProperties>(nic.ownerId) : undefined;
  const groups = endpoint?.properties.applicationSecurityGroups;
  return {
    id: `${id}/ipConfigurations/${nic.configurationName}`,
    name: nic.configurationName,
    type: `${networkInterfaceType}/ipConfigurations`,
    properties: {
      provisioningState: 'Succeeded',
      privateIPAddress: nic.address,
      privateIPAllocationMethod: nic.allocation,
      privateIPAddressVersion: 'IPv4',
      ...(nic.subnetId !== null && { subnet: showSubnet(nic.subnetId, store) }),
      primary: true,
      ...(groups && { applicationSecurityGroups: groups.map((group) => ({ id: group.id })) }),
      ...(isOf(nic, privateEndpointType) && {
        privateLinkConnectionProperties: { groupId: '', requiredMemberName: '', fqdns: [] },
      }),
    },
  };
}

/** With the subnet's security group, which is what filters the interface: it has none of its own. */
function showSubnet(id: string, store: Reading): JsonObject {
  const group = store.get<SubnetProperties>(id)?.properties.networkSecurityGroup;
  return { id, ...(group && { properties: { networkSecurityGroup: { id: group.id } } }) };
}

function showOwner({ id, properties: nic }: Row, store: Reading): JsonObject {
  if (isOf(nic, privateEndpointType)) return { privateEndpoint: { id: nic.ownerId } };
  if (isOf(nic, privateLinkServiceType)) return { privateLinkService: { id: nic.ownerId } };
  const machine = store.get(machineIdOf(id));
  return {
    hostedWorkloads: [nic.ownerId],
    ...(machine?.type === virtualMachineType && { virtualMachine: { id: machine.id } }),
  };
}

const isOf = (nic: InterfaceProperties, type: string): boolean =>
  parseArmId(nic.ownerId)?.type?.toLowerCase() === type.toLowerCase();

export function putInterface(
  store: Pick<Store, 'putOwned'>,
  nic: Pick<Resource, 'id' | 'location'> & { readonly properties: InterfaceProperties },
): void {
  store.putOwned({
    id: nic.id,
    type: networkInterfaceType,
    location: nic.location,
    properties: nic.properties,
    state: {},
  });
}
