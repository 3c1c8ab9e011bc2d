import type { Pass } from '../pass.ts';
import { observeLink } from '../private-endpoint/reconcile.ts';
import { settleBy } from '../settle.ts';
import type { Connection } from './schema.ts';

export function reconcileConnection(connection: Connection, pass: Pass): void {
  // Its endpoint makes and removes it; one that has none is left from a request that was cut short.
  if (!pass.store.get(connection.properties.endpointId)) return pass.store.remove(connection.id);
  if (connection.provisioningState === 'Deleting') {
    if (pass.fabric()) pass.store.remove(connection.id);
    return;
  }
  settleBy(pass, connection, () => observeLink(pass, connection));
}
