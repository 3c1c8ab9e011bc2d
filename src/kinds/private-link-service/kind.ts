/**
 * A cluster's private link service: made and deleted with the cluster, in the provider's subscription. The provider sets which
 * subscriptions are approved at once; the rest is the cluster's.
 */
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { Kind } from '../../arm/kind.ts';
import type { Store } from '../../store/resource.ts';
import type { ClusterProperties, ClusterState } from '../cassandra-cluster/schema.ts';
import { showConnection } from '../private-link-connection/kind.ts';
import { privateLinkConnectionType } from '../private-link-connection/schema.ts';
import { fields } from '../fields.ts';
import { accepted, keepForNow, listed, networkName } from '../rules.ts';
import {
  privateLinkServiceType,
  readSubscriptions,
  type LinkServiceProperties,
  type LinkService,
  type LinkServiceState,
} from './schema.ts';
import { connectionsOf } from '../private-link-connection/find.ts';

export const privateLinkServiceKind: Kind<LinkServiceProperties, LinkServiceState> = {
  type: privateLinkServiceType,
  summary: "The service that private endpoints connect to: one per cluster, in the provider's subscription.",
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing) {
    if (!existing) {
      throw new ArmError(
        'NotYetSupported',
        'A private link service of your own is not there yet: each cluster with azureConnectionMethod VPN brings one.',
      );
    }
    const body = fields(request.properties);
    body
      .object('visibility')
      ?.texts('subscriptions')
      ?.forEach((subscription) => keepForNow('visibility.subscriptions', '*', subscription));
    if (body.flag('enableProxyProtocol'))
      body.notYet('enableProxyProtocol', 'WireGuard is UDP, which has no PROXY protocol; leave it false.');
    body.notYet('fqdns', 'names for a private link service come with a later version; leave it out.');
    const approval = body.object('autoApproval');
    const autoApproval =
      (approval && readSubscriptions(approval, 'subscriptions')) ?? existing.properties.autoApproval;
    return { ...accepted(existing, { ...existing.properties, autoApproval }, existing.state), settled: true };
  },

  show(service, { store }) {
    const cluster = store.get<ClusterProperties, ClusterState>(service.properties.clusterId);
    return {
      provisioningState: service.provisioningState,
      alias: service.properties.alias,
      visibility: { subscriptions: ['*'] },
      autoApproval: { subscriptions: service.properties.autoApproval },
      enableProxyProtocol: false,
      fqdns: [],
      destinationIPAddress: cluster?.state.operator.address ?? null,
      ipConfigurations: [],
      loadBalancerFrontendIpConfigurations: [],
      networkInterfaces: [],
      privateEndpointConnections: connectionsOf(store, service.id).map((connection) => ({
        id: connection.id,
        name: connection.name,
        type: privateLinkConnectionType,
        etag: connection.etag,
        properties: showConnection(connection),
      })),
    };
  },
  envelope: (service) => ({ etag: service.etag }),

  beforeDelete(service, { store }) {
    const connections = connectionsOf(store, service.id).map(
      (connection) => connection.properties.endpointId,
    );
    throw new ArmError(
      'InUse',
      `Private link service '${service.name}' belongs to cluster ${service.properties.clusterId} and goes with it.` +
        (connections.length > 0 ? ` It has connections from ${listed(connections)}.` : '') +
        ' Delete the cluster instead.',
    );
  },
};

/** By ARM id or alias; a service whose cluster is being deleted takes no more connections. */
export function findLinkService(store: Store, idOrAlias: string): LinkService | undefined {
  const services = store.list<LinkServiceProperties, LinkServiceState>(privateLinkServiceType);
  return services.find(
    (service) =>
      sameId(service.id, idOrAlias) || service.properties.alias.toLowerCase() === idOrAlias.toLowerCase(),
  );
}
