import { sameId } from '../../arm/id.ts';
import type { Store } from '../../store/resource.ts';
import type {
  ConnectionProperties,
  ConnectionState,
  ConnectionStatus,
  Connection,
} from '../private-link-connection/schema.ts';
import type { EndpointState } from './schema.ts';

type Endpoint = { readonly id: string; readonly state: EndpointState };

/** The connection of an endpoint, while the provider hasn't removed it. */
export function connectionOf(store: Pick<Store, 'get'>, endpoint: Endpoint): Connection | undefined {
  const connection = store.get<ConnectionProperties, ConnectionState>(endpoint.state.connectionId);
  if (!connection || connection.provisioningState === 'Deleting') return undefined;
  return sameId(connection.properties.endpointId, endpoint.id) ? connection : undefined;
}

/** What the consumer sees: what the provider decided, and Disconnected where the connection is gone. */
export function connectionStatus(
  store: Pick<Store, 'get'>,
  endpoint: Endpoint,
): { readonly status: ConnectionStatus; readonly description: string } {
  return (
    connectionOf(store, endpoint)?.properties ?? {
      status: 'Disconnected',
      description: 'The provider removed the connection.',
    }
  );
}
