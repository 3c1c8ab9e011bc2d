/**
 * The network security group of the operators' subnet: nothing to the internet, only control and the services behind the gate.
 * The service makes it once; from then on it is the provider's, who can narrow it like any other. What it lets through is still
 * bounded by each operator's own allow-list.
 */
import { randomUUID } from 'node:crypto';
import { ports } from '../network/ports.ts';
import type { Store } from '../store/resource.ts';
import {
  securityGroupType,
  type SecurityGroupProperties,
  type SecurityGroupState,
} from './network-security-group/schema.ts';
import { managedGroup, platform } from './platform.ts';
import { securityRuleType, type RuleProperties } from './security-rule/schema.ts';
import type { Settings } from './settings.ts';

export const operatorsGroupId = (providerSubscription: string): string =>
  `${managedGroup(providerSubscription)}/providers/${securityGroupType}/sallyport-operators`;

/** Tags of what operators may reach by the gate, which is where they lead to here. */
export const gateTags = ['Storage', 'AzureKeyVault', 'AzureMonitor'] as const;

const rule = (
  direction: RuleProperties['direction'],
  priority: number,
  more: Partial<RuleProperties>,
): RuleProperties => ({
  ...{ direction, priority, access: 'Allow', protocol: 'Tcp' },
  ...{ sourcePortRange: '*', sourceAddressPrefix: '*', destinationAddressPrefix: '*' },
  ...more,
});

const rules: Readonly<Record<string, RuleProperties>> = {
  AllowTunnelInBound: rule('Inbound', 100, {
    description: 'WireGuard from private links',
    protocol: 'Udp',
    sourceAddressPrefix: platform.subnets.link,
    destinationPortRange: String(ports.wireguard),
  }),
  DenyEverythingInBound: rule('Inbound', 4096, { access: 'Deny', protocol: '*', destinationPortRange: '*' }),
  AllowControlOutBound: rule('Outbound', 100, {
    description: 'The exchange with control, and enrolment',
    destinationAddressPrefix: `${platform.controlDoor.address}/32`,
    destinationPortRanges: [ports.controlEnrolment, ports.control].map(String),
  }),
  ...Object.fromEntries(
    gateTags.map((tag, at) => [
      `Allow${tag}OutBound`,
      rule('Outbound', 110 + 10 * at, {
        description: 'By the gate, to accounts that service endpoint policies name',
        destinationAddressPrefix: tag,
        destinationPortRange: String(ports.gate),
      }),
    ]),
  ),
  DenyEverythingOutBound: rule('Outbound', 4096, {
    access: 'Deny',
    protocol: '*',
    destinationPortRange: '*',
  }),
};

/** Puts it where there is none: what the provider has changed of it stays. */
export function putOperatorsGroup(
  store: Store,
  settings: Pick<Settings, 'providerSubscription' | 'location'>,
): void {
  const id = operatorsGroupId(settings.providerSubscription);
  if (store.get(id)) return;
  const properties: SecurityGroupProperties = { flushConnection: false };
  const state: SecurityGroupState = { guid: randomUUID() };
  store.putOwned({ id, type: securityGroupType, location: settings.location, properties, state });
  for (const [name, of] of Object.entries(rules))
    store.putOwned({
      id: `${id}/securityRules/${name}`,
      type: securityRuleType,
      location: null,
      properties: of,
      state: {},
    });
}
