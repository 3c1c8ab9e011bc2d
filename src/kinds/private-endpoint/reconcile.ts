import { sameId } from '../../arm/id.ts';
import type { Store } from '../../store/resource.ts';
import type { Pass } from '../pass.ts';
import type { ConnectionProperties, ConnectionState, Connection } from '../private-link-connection/schema.ts';
import { observeEntry, settleBy, type Observed } from '../settle.ts';
import { connectionOf } from './connection.ts';
import type { Endpoint } from './schema.ts';

export function reconcilePrivateEndpoint(endpoint: Endpoint, pass: Pass): void {
  if (endpoint.provisioningState === 'Deleting') {
    if (pass.fabric()) removeEndpoint(pass.store, endpoint);
    return;
  }
  settleBy(pass, endpoint, () => observeLink(pass, connectionOf(pass.store, endpoint)));
}

function removeEndpoint(store: Store, endpoint: Endpoint): void {
  store.transaction(() => {
    const connection = store.get<ConnectionProperties, ConnectionState>(endpoint.state.connectionId);
    if (connection && sameId(connection.properties.endpointId, endpoint.id)) store.remove(connection.id);
    store.remove(endpoint.state.interfaceId);
    store.remove(endpoint.id);
  });
}

/** Open where approved, closed where not, and not there at all once it is cut for good. */
export function observeLink(pass: Pass, connection: Connection | undefined): Observed {
  const report = pass.fabric();
  if (!report) return { at: 'not yet' };
  if (!connection || connection.properties.status === 'Disconnected') return { at: 'so' };
  return observeEntry(
    report.links[connection.state.link],
    connection.properties.status === 'Approved' ? 'open' : 'closed',
  );
}
