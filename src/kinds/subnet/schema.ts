import { ArmError } from '../../arm/errors.ts';
import { formatPrefix, parsePrefix } from '../../lib/ip.ts';
import type { Fields } from '../fields.ts';
import { orNone, readReference, readReferences, type Reference } from '../references.ts';
import { listed } from '../rules.ts';
import { endpointServices } from '../service-endpoint-policy-definition/services.ts';
import type { Resource } from '../../store/resource.ts';

export const subnetType = 'Microsoft.Network/virtualNetworks/subnets';

/** Who may put a network interface into a subnet. */
export const joinAction = 'Microsoft.Network/virtualNetworks/subnets/join/action';

export interface SubnetProperties {
  /** Canonical: `10.0.2.0/24`. */
  readonly prefix: string;
  /** Service names; it changes nothing here, a plain subnet does as well. */
  readonly delegations: readonly string[];
  readonly privateEndpointNetworkPolicies: string;
  readonly privateLinkServiceNetworkPolicies: string;
  /** The rest is left out where there is none. */
  readonly networkSecurityGroup?: Reference;
  readonly routeTable?: Reference;
  readonly serviceEndpoints?: readonly ServiceEndpoint[];
  readonly serviceEndpointPolicies?: readonly Reference[];
  readonly defaultOutboundAccess?: boolean;
}

export interface ServiceEndpoint {
  readonly service: string;
  readonly locations: readonly string[];
}

const policies = ['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'] as const;
const cassandraDelegation = 'Microsoft.DocumentDB/cassandraClusters';

/**
 * What a body says of a subnet, over what is stored. What a subnet names (a group, a table, endpoints, policies) is as the
 * body says it: left out means none. That is how clients take it off, and keeping it would be a change that only seems made.
 */
export function readSubnet(body: Fields, existing: SubnetProperties | undefined): SubnetProperties {
  body.notYet('natGateway', 'there are no NAT gateways here; leave it out.');
  body.notYet('ipAllocations', 'there are no IP allocations here; leave them out.');
  const prefixes = body.texts('addressPrefixes');
  if (prefixes && prefixes.length > 1)
    return body.fail('addressPrefixes', 'names several prefixes; a subnet has one.');
  const text = body.text('addressPrefix') ?? prefixes?.[0] ?? existing?.prefix;
  if (text === undefined)
    return body.fail('addressPrefix', 'is missing: say which part of the address space the subnet is.');
  return {
    prefix: readPrefix(`${body.path}.addressPrefix`, text, 29),
    delegations: readDelegations(body) ?? existing?.delegations ?? [],
    privateEndpointNetworkPolicies:
      body.choice('privateEndpointNetworkPolicies', policies) ??
      existing?.privateEndpointNetworkPolicies ??
      'Disabled',
    privateLinkServiceNetworkPolicies:
      body.choice('privateLinkServiceNetworkPolicies', ['Disabled', 'Enabled']) ??
      existing?.privateLinkServiceNetworkPolicies ??
      'Enabled',
    ...readNamed(body),
    ...readOutbound(body, existing),
  };
}

function readNamed(body: Fields): Partial<SubnetProperties> {
  const networkSecurityGroup = readReference(body, 'networkSecurityGroup');
  const routeTable = readReference(body, 'routeTable');
  const policies = orNone(readReferences(body, 'serviceEndpointPolicies'));
  const endpoints = orNone(readServiceEndpoints(body));
  return {
    ...(networkSecurityGroup && { networkSecurityGroup }),
    ...(routeTable && { routeTable }),
    ...(endpoints && { serviceEndpoints: endpoints }),
    ...(policies && { serviceEndpointPolicies: policies }),
  };
}

/** A way out is the network's, not the subnet's: it can't be taken from one subnet this way. */
function readOutbound(body: Fields, existing: SubnetProperties | undefined): Partial<SubnetProperties> {
  const asked = body.flag('defaultOutboundAccess') ?? existing?.defaultOutboundAccess;
  if (asked === false) {
    throw new ArmError(
      'NotYetSupported',
      `${body.path}.defaultOutboundAccess: a subnet's way out can't be closed this way. Give the subnet a network security group that denies Internet, or a route table whose 0.0.0.0/0 leads to None.`,
      { target: `${body.path}.defaultOutboundAccess` },
    );
  }
  return asked === undefined ? {} : { defaultOutboundAccess: asked };
}

function readServiceEndpoints(body: Fields): readonly ServiceEndpoint[] | undefined {
  const list = body.objects('serviceEndpoints')?.map((item) => {
    const service =
      item.choice('service', endpointServices) ?? item.fail('service', 'is missing: name the service.');
    return { service, locations: item.texts('locations') ?? ['*'] };
  });
  return list?.filter((item, at) => list.findIndex((other) => other.service === item.service) === at);
}

function readDelegations(body: Fields): readonly string[] | undefined {
  return body.objects('delegations')?.map((item) => {
    const service = item.object('properties')?.text('serviceName') ?? '';
    if (service.toLowerCase() === cassandraDelegation.toLowerCase()) return cassandraDelegation;
    return body.fail('delegations', `names '${service}'; only ${cassandraDelegation} can be delegated to.`);
  });
}

/** A well-formed prefix no narrower than `longest`, in canonical form. */
export function readPrefix(target: string, text: string, longest: number): string {
  const prefix = parsePrefix(text);
  if (!prefix) {
    throw new ArmError(
      'InvalidParameter',
      `${target}: '${text}' is no IPv4 prefix. Write it like 10.0.2.0/24, with no bit set behind the prefix length.`,
      { target },
    );
  }
  if (prefix.length < 8 || prefix.length > longest) {
    throw new ArmError(
      'InvalidParameter',
      `${target}: '${text}' has a length of ${prefix.length}; allowed are /8 to /${longest}.`,
      {
        target,
      },
    );
  }
  return formatPrefix(prefix);
}

export const refuseInUse = (what: string, users: readonly string[]): never => {
  throw new ArmError('InUse', `${what} is in use by ${listed(users)}. Delete what uses it first.`, {
    details: users.map((user) => ({ code: 'InUse', message: user })),
  });
};

export type SubnetState = Record<string, never>;

export type Subnet = Resource<SubnetProperties, SubnetState>;
