import type { JsonObject } from '../store/resource.ts';
import type { Subscription } from '../store/principals.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

const read = 'Microsoft.Resources/subscriptions/read';

export function listTenants(cx: ArmContext, request: ArmRequest): ArmReply {
  checkApiVersion(request.query);
  const tenant = {
    id: `/tenants/${cx.tenantId}`,
    tenantId: cx.tenantId,
    displayName: 'Sallyport',
    tenantCategory: 'Home',
  };
  return { status: 200, body: { value: [tenant] } };
}

/** Those that the caller may read, each with nothing else in it. */
export function listSubscriptions(cx: ArmContext, request: ArmRequest): ArmReply {
  checkApiVersion(request.query);
  const mine = cx.store.principals
    .subscriptions()
    .filter(({ id }) => cx.may(request.caller, read, `/subscriptions/${id}`));
  return { status: 200, body: { value: mine.map((subscription) => show(cx, subscription)) } };
}

export function getSubscription(cx: ArmContext, request: ArmRequest, subscriptionId: string): ArmReply {
  authorize(cx, request.caller, read, `/subscriptions/${subscriptionId}`);
  checkApiVersion(request.query);
  return { status: 200, body: show(cx, needSubscription(cx, subscriptionId)) };
}

export function needSubscription(cx: ArmContext, subscriptionId: string): Subscription {
  const found = cx.store.principals.subscriptions().find(({ id }) => id === subscriptionId.toLowerCase());
  if (found) return found;
  throw new ArmError(
    'SubscriptionNotFound',
    `The subscription '${subscriptionId.slice(0, 100)}' could not be found. 'sallyport env' shows the subscription you may use.`,
  );
}

const show = (cx: ArmContext, { id, displayName }: Subscription): JsonObject => ({
  id: `/subscriptions/${id}`,
  subscriptionId: id,
  tenantId: cx.tenantId,
  displayName,
  state: 'Enabled',
  authorizationSource: 'RoleBased',
  managedByTenants: [],
  subscriptionPolicies: { locationPlacementId: 'Sallyport', quotaId: 'Sallyport', spendingLimit: 'Off' },
});

/** Regions by the names that clients offer. On one machine they are all here. */
export const regions: Readonly<Record<string, string>> = {
  eastus: 'East US',
  eastus2: 'East US 2',
  northeurope: 'North Europe',
  southeastasia: 'Southeast Asia',
  westeurope: 'West Europe',
  westus2: 'West US 2',
};

export function listLocations(cx: ArmContext, request: ArmRequest, subscriptionId: string): ArmReply {
  authorize(
    cx,
    request.caller,
    'Microsoft.Resources/subscriptions/locations/read',
    `/subscriptions/${subscriptionId}`,
  );
  checkApiVersion(request.query);
  const names = [...new Set([...Object.keys(regions), cx.location])].sort();
  const value = names.map((name) => ({
    id: `/subscriptions/${subscriptionId}/locations/${name}`,
    name,
    type: 'Region',
    displayName: regions[name] ?? name,
    regionalDisplayName: regions[name] ?? name,
    metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
  }));
  return { status: 200, body: { value } };
}
