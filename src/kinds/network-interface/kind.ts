/** A network interface: made by the service for a private endpoint or a node, and read-only to everybody. */
import type { Kind } from '../../arm/kind.ts';
import type { Resource, Store } from '../../store/resource.ts';
import { networkName } from '../rules.ts';
import { networkInterfaceType, type InterfaceProperties } from './schema.ts';

export type InterfaceState = Record<string, never>;

export const networkInterfaceKind: Kind<InterfaceProperties, InterfaceState> = {
  type: networkInterfaceType,
  summary: 'A network interface, made with the private endpoint or node that it belongs to.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET'],
  accept: () => {
    throw new Error('A network interface has no PUT.');
  },
  show: ({ properties: nic, ...row }) => ({
    provisioningState: row.provisioningState,
    ipConfigurations: [
      {
        id: `${row.id}/ipConfigurations/${nic.configurationName}`,
        name: nic.configurationName,
        type: `${networkInterfaceType}/ipConfigurations`,
        properties: {
          provisioningState: 'Succeeded',
          privateIPAddress: nic.address,
          privateIPAllocationMethod: nic.allocation,
          privateIPAddressVersion: 'IPv4',
          subnet: { id: nic.subnetId },
          primary: true,
          ...(belongsToEndpoint(nic) && {
            privateLinkConnectionProperties: { groupId: '', requiredMemberName: '', fqdns: [] },
          }),
        },
      },
    ],
    enableIPForwarding: false,
    nicType: 'Standard',
    ...(belongsToEndpoint(nic)
      ? { privateEndpoint: { id: nic.ownerId } }
      : { hostedWorkloads: [nic.ownerId] }),
  }),
  envelope: (row) => ({ etag: row.etag }),
};

const belongsToEndpoint = (nic: InterfaceProperties): boolean =>
  /\/privateEndpoints\/[^/]+$/i.test(nic.ownerId);

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
