/**
 * One side of a peering: two networks reach each other once each has named the other. Peerings aren't transitive.
 */
import { parentOf } from '../../arm/id.ts';
import type { Kind, KindContext } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import type { VirtualNetworkProperties } from '../virtual-network/schema.ts';
import { acceptPeering, disconnectBack } from './accept.ts';
import { peeringType, type Peering, type PeeringProperties, type PeeringState } from './schema.ts';

export const virtualNetworkPeeringKind: Kind<PeeringProperties, PeeringState> = {
  type: peeringType,
  summary: 'One side of a peering of two virtual networks.',
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, context) {
    const networkId = parentOf(request.id)!;
    const network = context.store.get<VirtualNetworkProperties>(networkId)!;
    const { properties, state } = acceptPeering(
      context,
      { id: network.id, prefixes: network.properties.prefixes },
      existing?.name ?? request.id.name,
      fields(request.properties),
      existing,
    );
    return accepted(existing, properties, state);
  },

  show: showPeering,
  envelope: (peering) => ({ etag: peering.etag }),
  beforeDelete: (peering, { store }) => disconnectBack(store, networkIdOf(peering), peering),
};

const networkIdOf = (peering: Peering): string => peering.id.split('/').slice(0, -2).join('/');

export function showPeering(
  peering: Peering,
  { store }: { readonly store: Pick<KindContext['store'], 'get'> },
): JsonObject {
  const { properties, state } = peering;
  const remote = store.get<VirtualNetworkProperties>(properties.remoteVirtualNetwork.id);
  const space = { addressPrefixes: remote?.properties.prefixes ?? [] };
  return {
    provisioningState: peering.provisioningState,
    peeringState: state.peeringState,
    peeringSyncLevel: state.peeringState === 'Connected' ? 'FullyInSync' : 'RemoteNotInSync',
    resourceGuid: state.guid,
    remoteVirtualNetwork: { id: properties.remoteVirtualNetwork.id },
    remoteAddressSpace: space,
    remoteVirtualNetworkAddressSpace: space,
    allowVirtualNetworkAccess: properties.allowVirtualNetworkAccess,
    allowForwardedTraffic: properties.allowForwardedTraffic,
    allowGatewayTransit: properties.allowGatewayTransit,
    useRemoteGateways: properties.useRemoteGateways,
    peerCompleteVnets: true,
  };
}
