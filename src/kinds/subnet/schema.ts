import { ArmError } from '../../arm/errors.ts';
import { formatPrefix, parsePrefix } from '../../lib/ip.ts';
import type { Fields } from '../fields.ts';
import { listed } from '../rules.ts';
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
}

const policies = ['Disabled', 'Enabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'] as const;
const cassandraDelegation = 'Microsoft.DocumentDB/cassandraClusters';

/** What a body says of a subnet, over what is stored. */
export function readSubnet(body: Fields, existing: SubnetProperties | undefined): SubnetProperties {
  for (const name of ['networkSecurityGroup', 'routeTable', 'natGateway'] as const) {
    body.notYet(
      name,
      'network security groups, route tables and gateways come with version 0.2; leave it out.',
    );
  }
  body.notYet('serviceEndpoints', 'service endpoints come with version 0.2; leave them out.');
  body.notYet('serviceEndpointPolicies', 'service endpoint policies come with version 0.2; leave them out.');
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
  };
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
