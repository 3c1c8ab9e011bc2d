/** What the gate shall let through, read off the store: pure. A policy that names no account of ours lets nothing through. */
import { sameId } from '../arm/id.ts';
import type { GateAccount, GateCluster, GateIntent, GateRule } from '../exchange/intents/gate.ts';
import { revise, type Revised } from '../exchange/revision.ts';
import { ipv4ToNumber } from '../lib/ip.ts';
import type { Resource, Store } from '../store/resource.ts';
import { storedPrefix } from './addresses.ts';
import {
  clusterType,
  type Cluster,
  type ClusterProperties,
  type ClusterState,
} from './cassandra-cluster/schema.ts';
import { childrenOf, isPresent } from './children.ts';
import type { Remember } from './remember.ts';
import { operatorsSubnetId } from './platform-network.ts';
import { platform } from './platform.ts';
import type { ServiceAccount } from './service-accounts.ts';
import {
  policyDefinitionType,
  type DefinitionProperties,
} from './service-endpoint-policy-definition/schema.ts';
import { resourceTypes } from './service-endpoint-policy-definition/services.ts';
import type { Settings } from './settings.ts';
import type { SubnetProperties } from './subnet/schema.ts';

type Reading = Pick<Store, 'get' | 'list' | 'idsOf' | 'secrets'>;
type Knowing = Pick<Settings, 'providerSubscription' | 'accounts'>;

/** Made when a policy first names an account, and kept: a gate has keys and sums on its disk. */
export const gateSecrets = { token: 'gate/token', admitted: 'gate/admitted' } as const;

export const hasGate = (store: Pick<Store, 'secrets'>): boolean =>
  store.secrets.get(gateSecrets.token) !== undefined || store.secrets.get(gateSecrets.admitted) !== undefined;

/** Cluster by cluster, with a revision made of theirs: a change makes again what it concerns. */
export function reviseGate(
  store: Reading,
  settings: Knowing,
  remember: Remember,
): Revised<GateIntent> | undefined {
  if (!hasGate(store)) return undefined;
  const clusters = store.idsOf(clusterType).flatMap((id) => {
    const made = remember(`cluster of the gate: ${id}`, () => {
      const cluster = store.get<ClusterProperties, ClusterState>(id);
      return cluster && isPresent(cluster) ? revise(gateCluster(store, settings, cluster)) : undefined;
    });
    return made ?? [];
  });
  return {
    revision: revise(clusters.map(({ revision }) => revision)).revision,
    document: { clusters: clusters.map(({ document }) => document) },
  };
}

const gateCluster = (store: Reading, settings: Knowing, cluster: Cluster): GateCluster => ({
  identity: cluster.state.identity,
  source: cluster.state.operator.address,
  port: portOf(cluster.state.operator.address),
  accounts: [...accountsFor(store, settings, cluster)],
});

/** One for each address that an operator can have. */
const portOf = (address: string): number =>
  platform.gate.firstPort + ipv4ToNumber(address) - storedPrefix(platform.subnets.operators).first;

/** Accounts that policies name, and a cluster may therefore reach. */
export function accountsFor(
  store: Pick<Store, 'get' | 'list'>,
  settings: Knowing,
  cluster: Pick<Cluster, 'subscriptionId'>,
): readonly GateAccount[] {
  const definitions = attachedDefinitions(store, settings);
  return settings.accounts
    .filter((account) => isReachableFrom(account, cluster, settings))
    .flatMap((account) => {
      const rules = definitions
        .filter(({ properties }) => covers(properties, account))
        .flatMap(({ properties }) => rulesOf(properties));
      const { name, address, port, authority } = account;
      return rules.length === 0
        ? []
        : [{ name, enabled: true, upstream: { address, port, authority }, rules }];
    });
}

/** Whether any policy names an account of ours at all. */
export const namesAccounts = (store: Pick<Store, 'get' | 'list'>, settings: Knowing): boolean =>
  attachedDefinitions(store, settings).some(({ properties }) =>
    settings.accounts.some((account) => covers(properties, account)),
  );

function attachedDefinitions(
  store: Pick<Store, 'get' | 'list'>,
  { providerSubscription }: Knowing,
): readonly Resource<DefinitionProperties>[] {
  const subnet = store.get<SubnetProperties>(operatorsSubnetId(providerSubscription));
  return (subnet?.properties.serviceEndpointPolicies ?? []).flatMap(({ id }) =>
    childrenOf<DefinitionProperties>(store, policyDefinitionType, id),
  );
}

/** What is the provider's, all clusters share; what is a customer's, that customer's clusters alone may reach. */
const isReachableFrom = (
  { id }: ServiceAccount,
  cluster: Pick<Cluster, 'subscriptionId'>,
  { providerSubscription }: Knowing,
): boolean =>
  [providerSubscription, cluster.subscriptionId].some((own) => isWithin(id, `/subscriptions/${own}`));

/** A definition names accounts themselves, or a group or subscription: all accounts of its service in there. */
const covers = ({ service, serviceResources }: DefinitionProperties, { id }: ServiceAccount): boolean =>
  resourceTypes[service].some((type) => id.toLowerCase().includes(`/providers/${type.toLowerCase()}/`)) &&
  serviceResources.some((named) => isWithin(id, named));

export const isWithin = (id: string, scope: string): boolean => {
  const clean = scope.replace(/\/+$/, '');
  return sameId(id, clean) || id.toLowerCase().startsWith(`${clean.toLowerCase()}/`);
};

function rulesOf({ methods, paths }: DefinitionProperties): readonly GateRule[] {
  const given = paths && paths.length > 0 ? paths : [null];
  return given.map((path) => ({ methods: [...(methods ?? [])], path }));
}
