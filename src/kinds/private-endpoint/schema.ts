import type { Fields } from '../fields.ts';
import { orNone, readReferences, type Reference } from '../references.ts';
import type { Resource } from '../../store/resource.ts';

export const privateEndpointType = 'Microsoft.Network/privateEndpoints';

export interface EndpointProperties {
  readonly subnetId: string;
  readonly connection: {
    readonly name: string;
    /** In which of the two lists it was asked for. */
    readonly manual: boolean;
    /** ARM id or alias, as asked. */
    readonly service: string;
    readonly requestMessage: string;
  };
  /** Null: the lowest free address. */
  readonly ipConfiguration: { readonly name: string; readonly address: string } | null;
  readonly interfaceName: string | null;
  /** Left out where there are none. */
  readonly applicationSecurityGroups?: readonly Reference[];
}

export interface EndpointState {
  readonly address: string;
  readonly interfaceId: string;
  /** ARM id of the private link service, whatever it was asked by. */
  readonly serviceId: string;
  readonly connectionId: string;
}

export interface AskedEndpoint {
  readonly subnetId: string | undefined;
  readonly connection: EndpointProperties['connection'] | undefined;
  readonly ipConfiguration: EndpointProperties['ipConfiguration'] | undefined;
  readonly interfaceName: string | undefined;
  readonly groups: readonly Reference[] | undefined;
}

export function readEndpoint(body: Fields): AskedEndpoint {
  body.choice('ipVersionType', ['IPv4']);
  const subnet = body.object('subnet');
  return {
    subnetId: subnet && (subnet.text('id') ?? subnet.fail('id', 'is missing: the ARM id of the subnet.')),
    connection: readConnection(body),
    ipConfiguration: readIpConfiguration(body),
    interfaceName: body.text('customNetworkInterfaceName', { max: 80 }) || undefined,
    groups: orNone(readReferences(body, 'applicationSecurityGroups')),
  };
}

function readConnection(body: Fields): EndpointProperties['connection'] | undefined {
  const manual = body.objects('manualPrivateLinkServiceConnections') ?? [];
  const direct = body.objects('privateLinkServiceConnections') ?? [];
  const [first, second] = [...manual, ...direct];
  if (second)
    return body.fail(
      'privateLinkServiceConnections',
      'and its manual form name several connections; an endpoint has one.',
    );
  if (!first) return undefined;
  const said = first.object('properties') ?? first.fail('properties', 'is missing.');
  if (said.texts('groupIds')?.some((group) => group !== '')) {
    return said.fail('groupIds', 'must be empty: a private link service has no groups.');
  }
  const service = said.text('privateLinkServiceId');
  if (!service)
    return said.fail(
      'privateLinkServiceId',
      "is missing: the cluster's privateLinkResourceId, or its alias.",
    );
  const isAlias = !service.startsWith('/');
  if (isAlias && manual.length === 0) {
    return said.fail(
      'privateLinkServiceId',
      'is an alias: that takes a manual connection (--manual-request true).',
    );
  }
  return {
    name: first.text('name', { max: 80 }) || first.fail('name', 'is missing: name the connection.'),
    manual: manual.length > 0,
    service,
    requestMessage: said.text('requestMessage', { max: 140 }) ?? '',
  };
}

function readIpConfiguration(body: Fields): EndpointProperties['ipConfiguration'] | undefined {
  const list = body.objects('ipConfigurations');
  if (!list) return undefined;
  if (list.length > 1)
    return body.fail('ipConfigurations', 'has several entries; an endpoint has one address.');
  const [first] = list;
  if (!first) return null;
  const said = first.object('properties') ?? first.fail('properties', 'is missing.');
  for (const name of ['groupId', 'memberName']) {
    if (said.text(name)) return said.fail(name, 'must be empty: a private link service has no groups.');
  }
  return {
    name: first.text('name', { max: 80 }) || first.fail('name', 'is missing.'),
    address: said.text('privateIPAddress') ?? said.fail('privateIPAddress', 'is missing.'),
  };
}

export type Endpoint = Resource<EndpointProperties, EndpointState>;
