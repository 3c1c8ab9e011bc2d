/**
 * How much one subscription may take of what all share: operators and the addresses of the provider's link subnet. Anybody who
 * knows an alias can ask for a connection, so one that nobody approved counts most.
 */
import { ArmError } from '../arm/errors.ts';
import type { Store } from '../store/resource.ts';
import { clusterType } from './cassandra-cluster/schema.ts';
import { connectionStatus } from './private-endpoint/connection.ts';
import {
  privateEndpointType,
  type EndpointProperties,
  type EndpointState,
} from './private-endpoint/schema.ts';

export const quotas = { clusters: 50, endpoints: 100, unapprovedEndpoints: 10 } as const;

/** Before a cluster is made. */
export function checkClusterQuota(store: Store, subscriptionId: string): void {
  const there = store.list(clusterType, `/subscriptions/${subscriptionId}`).length;
  check('Cassandra clusters', there, quotas.clusters, 'Delete clusters that are no longer needed');
}

/** Before an endpoint is made that isn't approved at once. */
export function checkEndpointQuota(store: Store, subscriptionId: string): void {
  const all = store.list<EndpointProperties, EndpointState>(
    privateEndpointType,
    `/subscriptions/${subscriptionId}`,
  );
  check('private endpoints', all.length, quotas.endpoints, 'Delete endpoints that are no longer needed');
  const waiting = all.filter((endpoint) => connectionStatus(store, endpoint).status !== 'Approved').length;
  check(
    'private endpoints that are not approved',
    waiting,
    quotas.unapprovedEndpoints,
    'Wait until the provider approves them, or delete those that were rejected or disconnected',
  );
}

function check(what: string, there: number, most: number, next: string): void {
  if (there < most) return;
  throw new ArmError(
    'QuotaExceeded',
    `The subscription has ${there} ${what}, and may have ${most}. ${next}, or ask the provider for more.`,
  );
}
