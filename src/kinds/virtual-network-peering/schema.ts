import type { Reference } from '../references.ts';
import type { Resource } from '../../store/resource.ts';

export const peeringType = 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings';

/** What takes the right to peer with a network, at its scope. */
export const peerAction = 'Microsoft.Network/virtualNetworks/peer/action';

export interface PeeringProperties {
  readonly remoteVirtualNetwork: Reference;
  readonly allowVirtualNetworkAccess: boolean;
  readonly allowForwardedTraffic: boolean;
  readonly allowGatewayTransit: boolean;
  readonly useRemoteGateways: boolean;
}

export interface PeeringState {
  /** Connected on both sides, or on neither. Disconnected is for good: the other side was deleted. */
  readonly peeringState: 'Initiated' | 'Connected' | 'Disconnected';
  readonly guid: string;
}

export type Peering = Resource<PeeringProperties, PeeringState>;
