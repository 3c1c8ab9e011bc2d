import { resourceId } from '../arm/id.ts';
import { ports } from '../network/ports.ts';

/**
 * The provider's own network (docs/design/0001): it always is, with no cluster too.
 */
export const platform = {
  network: 'provider',
  label: 'the platform network',
  prefix: '172.31.0.0/16',
  subnets: {
    control: '172.31.0.0/24',
    operators: '172.31.1.0/24',
    link: '172.31.2.0/24',
    gate: '172.31.3.0/24',
    services: '172.31.4.0/24',
  },
  controlDoor: { machine: 'control-door', address: '172.31.0.4' },
  gate: { machine: 'gate', address: '172.31.3.4', firstPort: 20_000 },
  /** Services that stand behind the gate; each has one machine. */
  services: {
    storage: { machine: 'storage', address: '172.31.4.4', port: ports.storage },
    monitor: { machine: 'monitor', address: '172.31.4.5', port: ports.monitor },
  },
  /** The name in the certificate that control shows to operators. */
  controlName: 'control',
  resourceGroup: 'sallyport-managed',
  /** The virtual network as ARM shows it, in that group. */
  name: 'sallyport-platform',
} as const;

/** The group in the provider's subscription that holds what the service makes. */
export const managedGroup = (providerSubscriptionId: string): string =>
  `/subscriptions/${providerSubscriptionId}/resourceGroups/${platform.resourceGroup}`;

export const linkServiceId = (providerSubscriptionId: string, name: string): string =>
  resourceId(providerSubscriptionId, platform.resourceGroup, 'Microsoft.Network/privateLinkServices', name);

/** Ranges that an address space of a customer may not touch, each with its reason. */
export const reservedRanges: readonly { readonly prefix: string; readonly why: string }[] = [
  { prefix: '0.0.0.0/8', why: 'it is no address of a machine' },
  { prefix: '127.0.0.0/8', why: 'it is loopback' },
  { prefix: '169.254.0.0/16', why: 'it is link-local' },
  { prefix: '224.0.0.0/4', why: 'it is multicast' },
  { prefix: '240.0.0.0/4', why: 'it is reserved' },
  { prefix: '168.63.129.16/32', why: 'it is the platform address of Azure' },
  { prefix: platform.prefix, why: 'the platform network uses it' },
  {
    prefix: '192.0.2.0/24',
    why: 'it is a documentation range, on which the canaries of "the internet" stand',
  },
  {
    prefix: '198.51.100.0/24',
    why: 'it is a documentation range, on which the canaries of "the internet" stand',
  },
  {
    prefix: '203.0.113.0/24',
    why: 'it is a documentation range, on which the canaries of "the internet" stand',
  },
];
