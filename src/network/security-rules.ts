/**
 * Network security rules and routes as data, in Azure's terms: what a group's rules say, the rules that every group ends
 * with, the tags that stand for addresses, and routes. Who stores them, who asks what they do, and who compiles them for
 * the kernel all mean these.
 */
export type RuleDirection = 'Inbound' | 'Outbound';
export type RuleProtocol = 'Tcp' | 'Udp' | 'Icmp' | 'Esp' | 'Ah' | '*';

/** One side of a flow. It is matched when any entry of either list holds the address. Never are both lists empty. */
export interface RuleSide {
  /** Each a canonical IPv4 prefix (`10.0.2.0/24`, a single address as `/32`), `*`, or a {@link serviceTag} in its own case. */
  readonly prefixes: readonly string[];
  /** ARM ids of application security groups. */
  readonly groups: readonly string[];
}

export interface SecurityRule {
  readonly name: string;
  /** 100 to 4096, and from 65000 for the default rules; unique within a direction. The lowest is judged first. */
  readonly priority: number;
  readonly direction: RuleDirection;
  readonly access: 'Allow' | 'Deny';
  readonly protocol: RuleProtocol;
  readonly source: RuleSide;
  /** Each `*`, `443` or `8000-8080`. They bind Tcp and Udp alone: other protocols have no ports. */
  readonly sourcePorts: readonly string[];
  readonly destination: RuleSide;
  readonly destinationPorts: readonly string[];
}

const everywhere: RuleSide = { prefixes: ['*'], groups: [] };
const tagged = (tag: string): RuleSide => ({ prefixes: [tag], groups: [] });
const byDefault = (
  name: string,
  priority: number,
  direction: RuleDirection,
  access: 'Allow' | 'Deny',
  source: RuleSide = everywhere,
  destination: RuleSide = everywhere,
): SecurityRule => ({
  name,
  priority,
  direction,
  access,
  protocol: '*',
  source,
  sourcePorts: ['*'],
  destination,
  destinationPorts: ['*'],
});

/** What stands at the end of every group, and can't be taken away: only a rule of a lower number overrides it. */
export const defaultSecurityRules: readonly SecurityRule[] = [
  byDefault(
    'AllowVnetInBound',
    65000,
    'Inbound',
    'Allow',
    tagged('VirtualNetwork'),
    tagged('VirtualNetwork'),
  ),
  byDefault('AllowAzureLoadBalancerInBound', 65001, 'Inbound', 'Allow', tagged('AzureLoadBalancer')),
  byDefault('DenyAllInBound', 65500, 'Inbound', 'Deny'),
  byDefault(
    'AllowVnetOutBound',
    65000,
    'Outbound',
    'Allow',
    tagged('VirtualNetwork'),
    tagged('VirtualNetwork'),
  ),
  byDefault('AllowInternetOutBound', 65001, 'Outbound', 'Allow', everywhere, tagged('Internet')),
  byDefault('DenyAllOutBound', 65500, 'Outbound', 'Deny'),
];

/** Tags that a network gives meaning to: its own and its peers' address space, all that is outside, the load balancer. */
export const networkTags = ['VirtualNetwork', 'AzureLoadBalancer', 'Internet'] as const;

/** Tags of Azure's services. `regional`: `<Tag>.<region>` narrows it to a region. Those that nobody runs stand for no address. */
export const serviceTags: readonly { readonly name: string; readonly regional: boolean }[] = [
  { name: 'ActionGroup', regional: false },
  { name: 'ApiManagement', regional: true },
  { name: 'AppConfiguration', regional: false },
  { name: 'AppService', regional: true },
  { name: 'AzureActiveDirectory', regional: false },
  { name: 'AzureActiveDirectoryDomainServices', regional: false },
  { name: 'AzureArcInfrastructure', regional: false },
  { name: 'AzureBackup', regional: false },
  { name: 'AzureCloud', regional: true },
  { name: 'AzureContainerRegistry', regional: true },
  { name: 'AzureCosmosDB', regional: true },
  { name: 'AzureDatabricks', regional: false },
  { name: 'AzureDevOps', regional: true },
  { name: 'AzureFrontDoor.Backend', regional: false },
  { name: 'AzureFrontDoor.FirstParty', regional: false },
  { name: 'AzureFrontDoor.Frontend', regional: false },
  { name: 'AzureKeyVault', regional: true },
  { name: 'AzureMonitor', regional: true },
  { name: 'AzureResourceManager', regional: true },
  { name: 'AzureTrafficManager', regional: false },
  { name: 'AzureUpdateDelivery', regional: false },
  { name: 'EventHub', regional: true },
  { name: 'GatewayManager', regional: false },
  { name: 'GuestAndHybridManagement', regional: false },
  { name: 'MicrosoftContainerRegistry', regional: true },
  { name: 'ServiceBus', regional: true },
  { name: 'Sql', regional: true },
  { name: 'Storage', regional: true },
];

export interface ServiceTag {
  /** In the tag's own case. */
  readonly name: string;
  /** Lower case, without spaces; null: everywhere. */
  readonly region: string | null;
}

/** The tag that a text names, whatever its case; undefined: it names none. Whether a region is one, the caller knows. */
export function serviceTag(text: string): ServiceTag | undefined {
  const wanted = text.toLowerCase();
  const whole = [...networkTags, ...serviceTags.map(({ name }) => name)].find(
    (name) => name.toLowerCase() === wanted,
  );
  if (whole !== undefined) return { name: whole, region: null };
  const dot = wanted.lastIndexOf('.');
  const found = serviceTags.find(
    ({ name, regional }) => regional && name.toLowerCase() === wanted.slice(0, dot),
  );
  const region = wanted.slice(dot + 1);
  return dot > 0 && found && /^[a-z][a-z0-9]*$/.test(region) ? { name: found.name, region } : undefined;
}

export const formatServiceTag = ({ name, region }: ServiceTag): string =>
  region === null ? name : `${name}.${region}`;

export const nextHopTypes = [
  'VirtualAppliance',
  'VnetLocal',
  'Internet',
  'None',
  'VirtualNetworkGateway',
] as const;
export type NextHopType = (typeof nextHopTypes)[number];

export interface Route {
  readonly name: string;
  /** Canonical IPv4 prefix. The longest that holds an address decides; of equals, a route of the user's. */
  readonly prefix: string;
  readonly nextHopType: NextHopType;
  /** Of VirtualAppliance alone: an IPv4 address. */
  readonly nextHopAddress: string | null;
}
