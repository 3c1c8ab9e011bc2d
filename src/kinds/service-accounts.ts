import { sameId } from '../arm/id.ts';
import type { ServiceKind } from '../exchange/intents/service.ts';
import type { AccountKey } from '../lib/shared-access.ts';

/**
 * Accounts of services outside, as the installation knows them: which ARM id has which name, and where it stands. A policy names
 * ids; a name and an address without one let nothing through.
 */
export interface ServiceAccount {
  /** ARM id of a storage account, a vault or a monitoring account. */
  readonly id: string;
  /** `logs.blob.core.windows.net`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Who signs its certificate, PEM. */
  readonly authority: string;
  /** Set: nodes of clusters that may reach it keep their logs there. */
  readonly logs?: LogContainer | OwnLogContainer | undefined;
}

/** A service of the installation's own, and what its machine's disk gets. */
export interface ServiceMachine {
  readonly kind: ServiceKind;
  readonly seed: Readonly<Record<string, string>>;
}

export interface LogContainer {
  readonly container: string;
  /** The right to add to it, a query string: a secret. */
  readonly sas: string;
}

/** Of an account whose key control has: it makes the right itself. */
export interface OwnLogContainer extends AccountKey {
  readonly container: string;
}

/**
 * Where a cluster's logs go, of the accounts that it may reach: to one in its own subscription before the provider's. One of a
 * subscription can have them.
 */
export function logStore(
  accounts: readonly ServiceAccount[],
  reachable: readonly string[],
  { subscriptionId }: { readonly subscriptionId: string },
  rightOf: (account: ServiceAccount) => string | undefined,
): { readonly account: string; readonly container: string; readonly sas: string } | undefined {
  const store = ownFirst(
    accounts.filter(({ name, logs }) => logs && reachable.includes(name)),
    subscriptionId,
  );
  const sas = store && rightOf(store);
  if (!store?.logs || sas === undefined) return undefined;
  return { account: store.name, container: store.logs.container, sas };
}

/** Where a cluster's metrics go, of the accounts that it may reach. What is written there is Prometheus's own remote write. */
export function metricsStore(
  accounts: readonly ServiceAccount[],
  reachable: readonly string[],
  { subscriptionId }: { readonly subscriptionId: string },
): { readonly account: string } | undefined {
  const store = ownFirst(
    accounts.filter(({ id, name }) => isMonitor(id) && reachable.includes(name)),
    subscriptionId,
  );
  return store && { account: store.name };
}

export const isMonitor = (id: string): boolean =>
  /\/providers\/microsoft\.monitor\/accounts\/[^/]+$/i.test(id);

const ownFirst = (accounts: readonly ServiceAccount[], subscriptionId: string): ServiceAccount | undefined =>
  accounts.find(({ id }) => sameId(id.split('/')[2] ?? '', subscriptionId)) ?? accounts[0];
