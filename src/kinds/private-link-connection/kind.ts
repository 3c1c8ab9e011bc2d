/**
 * A private endpoint's connection to a private link service, as the provider sees it. Endpoints make them; the provider
 * approves, rejects and removes them. Who may is decided at the provider's scope, where this resource lies.
 */
import { ArmError } from '../../arm/errors.ts';
import type { Kind } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { isRunning } from '../settle.ts';
import {
  privateLinkConnectionType,
  type ConnectionProperties,
  type ConnectionState,
  type ConnectionStatus,
  type Connection,
} from './schema.ts';

const asked = ['Approved', 'Rejected', 'Removed', 'Disconnected', 'Pending'] as const;

export const privateLinkConnectionKind: Kind<ConnectionProperties, ConnectionState> = {
  type: privateLinkConnectionType,
  summary: "A private endpoint's connection: the provider approves, rejects or removes it.",
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, { store }) {
    if (!existing) {
      throw new ArmError(
        'ResourceNotFound',
        `There is no connection '${request.id.name}' here. A private endpoint makes it; list what there is with ` +
          'sallyport network private-endpoint-connection list --id SERVICE.',
      );
    }
    const body = fields(request.properties).object('privateLinkServiceConnectionState');
    const status = body?.choice('status', asked);
    const { properties: now } = existing;
    const next = status === undefined ? now.status : status === 'Removed' ? 'Disconnected' : status;
    checkTransition(existing.name, now.status, next);
    // A decision never waits for the one before it: to cut must be possible at any moment.
    if (next !== now.status && isRunning(existing)) {
      const fault = { code: 'Superseded', message: `The connection was then set to ${next}.` };
      store.settle(existing.id, existing.generation, { at: 'Failed', fault });
    }
    const description = body?.text('description', { max: 140 }) ?? now.description;
    return accepted(existing, { ...now, status: next, description }, existing.state);
  },

  show: showConnection,
  envelope: (connection) => ({ etag: connection.etag }),
};

function checkTransition(name: string, now: ConnectionStatus, next: ConnectionStatus): void {
  if (now === next) return;
  if (now === 'Disconnected') {
    throw new ArmError(
      'Conflict',
      `Connection '${name}' was removed and can't be ${next}: its private endpoint is disconnected for good. ` +
        'Delete that private endpoint and create another.',
    );
  }
  if (next === 'Pending') {
    throw new ArmError(
      'InvalidParameter',
      `Connection '${name}' is ${now}; it can become Approved, Rejected or Removed, not Pending.`,
      {
        target: 'properties.privateLinkServiceConnectionState.status',
      },
    );
  }
}

export function showConnection(connection: Connection): JsonObject {
  return {
    provisioningState: connection.provisioningState,
    privateEndpoint: { id: connection.properties.endpointId },
    privateEndpointLocation: connection.properties.endpointLocation,
    linkIdentifier: connection.state.linkIdentifier,
    privateLinkServiceConnectionState: showStatus(connection.properties),
  };
}

export const showStatus = (connection: Pick<ConnectionProperties, 'status' | 'description'>): JsonObject => ({
  status: connection.status,
  description: connection.description,
  actionsRequired: 'None',
});
