import type { Resource } from '../../store/resource.ts';
export const privateLinkConnectionType = 'Microsoft.Network/privateLinkServices/privateEndpointConnections';

/** Who may decide on the connections of a private link service. */
export const approveAction = 'Microsoft.Network/privateLinkServices/privateEndpointConnections/write';

/**
 * Pending → Approved | Rejected, and between these two at any time. Disconnected is for good: the provider removed it.
 */
export type ConnectionStatus = 'Pending' | 'Approved' | 'Rejected' | 'Disconnected';

/** The one place where the state of a connection is stored; the endpoint and the service both show this. */
export interface ConnectionProperties {
  /** ARM id of the private endpoint. */
  readonly endpointId: string;
  readonly endpointLocation: string | null;
  readonly status: ConnectionStatus;
  readonly description: string;
}

export interface ConnectionState {
  /** Unique for good: what the fabric calls the link. */
  readonly link: string;
  /** What the operator sees as source of this connection. */
  readonly natAddress: string;
  readonly linkIdentifier: string;
}

export type Connection = Resource<ConnectionProperties, ConnectionState>;
