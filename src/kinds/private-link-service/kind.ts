/**
 * A private link service. A cluster's is made and deleted with it, in the provider's subscription: the provider sets which
 * subscriptions are approved at once, the rest is the cluster's. One of somebody's own is theirs.
 */
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { Kind } from '../../arm/kind.ts';
import type { JsonObject, Store } from '../../store/resource.ts';
import type { ClusterProperties, ClusterState } from '../cassandra-cluster/schema.ts';
import { showConnection } from '../private-link-connection/kind.ts';
import { privateLinkConnectionType } from '../private-link-connection/schema.ts';
import { fields } from '../fields.ts';
import { accepted, keepForNow, listed, networkName, sameRegion } from '../rules.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { acceptOwn, interfaceIdsOf } from './own.ts';
import {
  privateLinkServiceType,
  readSubscriptions,
  type LinkServiceProperties,
  type LinkService,
  type LinkServiceState,
  type NatConfiguration,
} from './schema.ts';
import { connectionsOf } from '../private-link-connection/find.ts';

export const privateLinkServiceKind: Kind<LinkServiceProperties, LinkServiceState> = {
  type: privateLinkServiceType,
  summary: 'The service that private endpoints connect to: one per cluster, and those of your own.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const body = fields(request.properties);
    if (body.flag('enableProxyProtocol'))
      body.notYet('enableProxyProtocol', 'WireGuard is UDP, which has no PROXY protocol; leave it false.');
    body.notYet('fqdns', 'names for a private link service come with a later version; leave it out.');
    if (!existing || existing.properties.own) {
      const properties = acceptOwn(request, body, existing?.properties, context);
      return { ...accepted(existing, properties, {}), settled: true };
    }
    body
      .object('visibility')
      ?.texts('subscriptions')
      ?.forEach((subscription) => keepForNow('visibility.subscriptions', '*', subscription));
    const approval = body.object('autoApproval');
    const autoApproval =
      (approval && readSubscriptions(approval, 'subscriptions')) ?? existing.properties.autoApproval;
    return { ...accepted(existing, { ...existing.properties, autoApproval }, existing.state), settled: true };
  },

  show(service, { store }) {
    const { clusterId, own } = service.properties;
    const cluster = clusterId === null ? undefined : store.get<ClusterProperties, ClusterState>(clusterId);
    return {
      provisioningState: service.provisioningState,
      alias: service.properties.alias,
      visibility: { subscriptions: own?.visibility ?? ['*'] },
      autoApproval: { subscriptions: service.properties.autoApproval },
      enableProxyProtocol: false,
      fqdns: [],
      destinationIPAddress: own?.destinationAddress ?? cluster?.state.operator.address ?? null,
      ipConfigurations: (own?.ipConfigurations ?? []).map((item) => showConfiguration(service, item)),
      loadBalancerFrontendIpConfigurations: [],
      networkInterfaces: interfaceIdsOf(service, own?.ipConfigurations.length ?? 0).map((id) => ({ id })),
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
    if (service.properties.own) {
      if (connections.length > 0) refuseInUse(`Private link service '${service.name}'`, connections);
      return;
    }
    throw new ArmError(
      'InUse',
      `Private link service '${service.name}' belongs to cluster ${service.properties.clusterId} and goes with it.` +
        (connections.length > 0 ? ` It has connections from ${listed(connections)}.` : '') +
        ' Delete the cluster instead.',
    );
  },
  locationLists: {
    autoApprovedPrivateLinkServices: {
      actionName: 'Microsoft.Network/locations/autoApprovedPrivateLinkServices/read',
      list: ({ subscriptionId, location }, { store }) =>
        approvedFor(store, subscriptionId)
          .filter((service) => service.location === null || sameRegion(service.location, location))
          .map(({ id }) => ({ privateLinkService: id })),
    },
  },
};

const showConfiguration = (service: LinkService, item: NatConfiguration): JsonObject => ({
  id: `${service.id}/ipConfigurations/${item.name}`,
  name: item.name,
  type: `${privateLinkServiceType}/ipConfigurations`,
  properties: {
    provisioningState: 'Succeeded',
    privateIPAddress: item.address,
    privateIPAllocationMethod: item.allocation,
    privateIPAddressVersion: 'IPv4',
    primary: item.primary,
    subnet: { id: item.subnetId },
  },
});

/** Services at which a subscription's connections are approved at once. */
const approvedFor = (store: Pick<Store, 'list'>, subscriptionId: string): readonly LinkService[] =>
  store
    .list<LinkServiceProperties, LinkServiceState>(privateLinkServiceType)
    .filter(({ properties: { autoApproval } }) =>
      autoApproval.some((id) => id === '*' || sameId(id, subscriptionId)),
    );

/** By ARM id or alias; a service whose cluster is being deleted takes no more connections. */
export function findLinkService(store: Store, idOrAlias: string): LinkService | undefined {
  const services = store.list<LinkServiceProperties, LinkServiceState>(privateLinkServiceType);
  return services.find(
    (service) =>
      sameId(service.id, idOrAlias) || service.properties.alias.toLowerCase() === idOrAlias.toLowerCase(),
  );
}
