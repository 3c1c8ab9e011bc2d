/**
 * A private endpoint: one address in a subnet of the customer's, by which a private link service is reached. Its connection
 * is a resource of the provider's; what is shown of it here is read there.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { ArmError } from '../../arm/errors.ts';
import { sameId, type ArmId } from '../../arm/id.ts';
import type { Kind, KindContext, PutRequest } from '../../arm/kind.ts';
import type { JsonObject, Store } from '../../store/resource.ts';
import { checkStatic, lowestFree, storedPrefix } from '../addresses.ts';
import { groupOfInterface } from '../application-security-group/schema.ts';
import { claimsIn, dataCentersIn, networkOf, platformClaims } from '../claims.ts';
import { fields } from '../fields.ts';
import { putInterface } from '../network-interface/kind.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { platform } from '../platform.ts';
import { approveAction, privateLinkConnectionType } from '../private-link-connection/schema.ts';
import { showStatus } from '../private-link-connection/kind.ts';
import { findLinkService } from '../private-link-service/kind.ts';
import { checkEndpointQuota } from '../quotas.ts';
import { findNamed, type Reference } from '../references.ts';
import { accepted, idOf, keep, networkName } from '../rules.ts';
import { findSubnet } from '../subnet/find.ts';
import { refuseInUse, subnetType } from '../subnet/schema.ts';
import { connectionStatus } from './connection.ts';
import { privateEndpointType, readEndpoint, type EndpointProperties, type EndpointState } from './schema.ts';
import type { LinkService } from '../private-link-service/schema.ts';

export const privateEndpointKind: Kind<EndpointProperties, EndpointState> = {
  type: privateEndpointType,
  summary: "A private endpoint: the one address by which a cluster's operator is reached.",
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const body = fields(request.properties);
    const said = readEndpoint(body);
    if (existing) {
      const { properties: now } = existing;
      keepId('subnet.id', now.subnetId, said.subnetId);
      if (said.connection) {
        const { service, ...rest } = said.connection;
        if (findLinkService(context.store, service)?.id !== existing.state.serviceId)
          keepId('privateLinkServiceId', now.connection.service, service);
        keep('privateLinkServiceConnections', now.connection, { ...rest, service: now.connection.service });
      }
      keep('ipConfigurations', now.ipConfiguration, said.ipConfiguration);
      keep('customNetworkInterfaceName', now.interfaceName, said.interfaceName);
      const { applicationSecurityGroups: before, ...rest } = now;
      const groups =
        request.method === 'PATCH' && !body.has('applicationSecurityGroups') ? before : said.groups;
      checkGroups(request, groups, before, context);
      return accepted(
        existing,
        { ...rest, ...(groups && { applicationSecurityGroups: groups }) },
        existing.state,
      );
    }
    if (!said.subnetId)
      return body.fail('subnet', 'is missing: the subnet that the endpoint shall have its address in.');
    if (!said.connection) {
      return body.fail(
        'manualPrivateLinkServiceConnections',
        'is missing: name the private link service to connect to.',
      );
    }
    const properties: EndpointProperties = {
      subnetId: idOf('properties.subnet.id', said.subnetId, subnetType).text,
      connection: said.connection,
      ipConfiguration: said.ipConfiguration ?? null,
      interfaceName: said.interfaceName ?? null,
      ...(said.groups && { applicationSecurityGroups: said.groups }),
    };
    checkGroups(request, said.groups, undefined, context);
    const state = place(request.id, properties, request.location, context);
    return accepted(undefined, properties, state);
  },

  show(endpoint, { store }) {
    const { properties: said } = endpoint;
    const connection: JsonObject = {
      id: `${endpoint.id}/${said.connection.manual ? 'manualPrivateLinkServiceConnections' : 'privateLinkServiceConnections'}/${said.connection.name}`,
      name: said.connection.name,
      properties: {
        provisioningState: 'Succeeded',
        privateLinkServiceId: endpoint.state.serviceId,
        groupIds: [],
        requestMessage: said.connection.requestMessage,
        privateLinkServiceConnectionState: showStatus(connectionStatus(store, endpoint)),
      },
    };
    return {
      provisioningState: endpoint.provisioningState,
      subnet: { id: said.subnetId },
      ipVersionType: 'IPv4',
      ipConfigurations: said.ipConfiguration
        ? [
            {
              name: said.ipConfiguration.name,
              properties: { groupId: '', memberName: '', privateIPAddress: said.ipConfiguration.address },
            },
          ]
        : [],
      customNetworkInterfaceName: said.interfaceName ?? '',
      networkInterfaces: [{ id: endpoint.state.interfaceId }],
      customDnsConfigs: [],
      applicationSecurityGroups: (said.applicationSecurityGroups ?? []).map(({ id }) => ({ id })),
      manualPrivateLinkServiceConnections: said.connection.manual ? [connection] : [],
      privateLinkServiceConnections: said.connection.manual ? [] : [connection],
    };
  },
  envelope: (endpoint) => ({ etag: endpoint.etag }),

  beforeDelete(endpoint, { store }) {
    const users = dataCentersIn(store, networkOf(endpoint.properties.subnetId))
      .filter((dataCenter) => sameId(dataCenter.state.endpointId, endpoint.id))
      .map((dataCenter) => `data centre ${dataCenter.id}`);
    if (users.length > 0) refuseInUse(`Private endpoint '${endpoint.name}'`, users);
  },
};

/** The groups that an endpoint's address joins, checked where they are new. */
function checkGroups(
  request: PutRequest,
  groups: readonly Reference[] | undefined,
  before: readonly Reference[] | undefined,
  context: KindContext,
): void {
  const place = { subscriptionId: request.id.subscriptionId, location: request.location };
  for (const group of groups ?? []) {
    if (!before?.some(({ id }) => sameId(id, group.id)))
      findNamed(context, 'properties.applicationSecurityGroups', group, groupOfInterface, place);
  }
}

function keepId(name: string, now: string, asked: string | undefined): void {
  if (asked !== undefined && !sameId(now, asked)) keep(name, now, asked);
}

/** Chooses the address, and makes the interface and the connection that go with the endpoint. Refuses before it writes. */
function place(
  id: ArmId,
  said: EndpointProperties,
  location: string | null,
  context: KindContext,
): EndpointState {
  const { store } = context;
  const subnet = findSubnet(context, 'properties.subnet.id', said.subnetId);
  const service = serviceOf(store, said.connection.service);
  const prefix = storedPrefix(subnet.properties.prefix);
  const claims = claimsIn(store, networkOf(subnet.id));
  const address = said.ipConfiguration
    ? checkStatic(
        'properties.ipConfigurations[0].properties.privateIPAddress',
        said.ipConfiguration.address,
        subnet.name,
        prefix,
        claims,
      )
    : lowestFree(prefix, claims, 1)[0];
  if (address === undefined) {
    throw new ArmError(
      'Conflict',
      `Subnet '${subnet.name}' (${subnet.properties.prefix}) has no free address. Choose another subnet.`,
    );
  }
  const [natAddress] = lowestFree(storedPrefix(platform.subnets.link), platformClaims(store), 1);
  if (natAddress === undefined) {
    throw new ArmError(
      'Conflict',
      `The platform has no address left for another connection (${platform.subnets.link}). Delete unused endpoints.`,
    );
  }
  const interfaceId = interfaceIdOf(id, said.interfaceName);
  if (store.get(interfaceId)) {
    throw new ArmError(
      'Conflict',
      `There is a network interface ${interfaceId} already. Choose another customNetworkInterfaceName.`,
    );
  }
  const connectionId = `${service.id}/privateEndpointConnections/${id.name}.${randomUUID()}`;
  const approved = isApprovedAtOnce(id, said, service, context);
  if (!approved) checkEndpointQuota(store, id.subscriptionId);
  putInterface(store, {
    id: interfaceId,
    location,
    properties: {
      subnetId: subnet.id,
      address,
      allocation: said.ipConfiguration ? 'Static' : 'Dynamic',
      configurationName: said.ipConfiguration?.name ?? 'privateEndpointIpConfig',
      ownerId: id.text,
    },
  });
  store.putOwned({
    id: connectionId,
    type: privateLinkConnectionType,
    location: null,
    properties: {
      endpointId: id.text,
      endpointLocation: location,
      status: approved ? 'Approved' : 'Pending',
      description: approved ? 'Approved automatically' : said.connection.requestMessage,
    },
    state: {
      link: `link-${randomBytes(5).toString('hex')}`,
      natAddress,
      linkIdentifier: String(randomInt(2 ** 28, 2 ** 31)),
    },
  });
  return { address, interfaceId, serviceId: service.id, connectionId };
}

function serviceOf(store: Store, idOrAlias: string): LinkService {
  const service = findLinkService(store, idOrAlias);
  if (service?.properties.own) refuseOwn(service);
  const cluster = service?.properties.clusterId ? store.get(service.properties.clusterId) : undefined;
  if (service && cluster && cluster.provisioningState !== 'Deleting') return service;
  throw new ArmError(
    'InvalidParameter',
    `There is no private link service '${idOrAlias}'. Take the privateLinkResourceId that cluster show prints, or its alias.`,
    { target: 'privateLinkServiceId' },
  );
}

/** Its endpoint would have an address that leads nowhere, and say that it is there. */
function refuseOwn(service: LinkService): never {
  throw new ArmError(
    'NotYetSupported',
    `Private link service '${service.name}' is one of your own: no packets are led to it yet, so no endpoint can connect to it. Take the privateLinkResourceId of a cluster.`,
    { target: 'privateLinkServiceId' },
  );
}

/** A subscription on the service's list is; so is a direct connection of somebody who may approve it anyway. */
function isApprovedAtOnce(
  id: ArmId,
  said: EndpointProperties,
  service: LinkService,
  context: KindContext,
): boolean {
  if (service.properties.autoApproval.includes(id.subscriptionId.toLowerCase())) return true;
  return !said.connection.manual && context.may(approveAction, service.id);
}

function interfaceIdOf(id: ArmId, name: string | null): string {
  if (name !== null && !networkName.pattern.test(name)) {
    throw new ArmError(
      'InvalidResourceName',
      `'${name}' can't name a network interface: ${networkName.rule}.`,
      {
        target: 'properties.customNetworkInterfaceName',
      },
    );
  }
  const [namespace, type] = networkInterfaceType.split('/');
  const group = `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`;
  return `${group}/providers/${namespace}/${type}/${name ?? `${id.name}.nic.${randomUUID()}`}`;
}
