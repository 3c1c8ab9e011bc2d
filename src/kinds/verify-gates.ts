/** What a proof must know of the gate, read off the store: pure. */
import type { VerifyGate } from '../exchange/intents/fabric.ts';
import type { GateAccount, GateRule } from '../exchange/intents/gate.ts';
import type { Store } from '../store/resource.ts';
import { clusterType, type ClusterProperties, type ClusterState } from './cassandra-cluster/schema.ts';
import { reviseGate } from './gate-intent.ts';
import type { Remember } from './remember.ts';
import type { Settings } from './settings.ts';

/** Of each cluster that policies let reach an account; none without a gate. */
export function verifyGates(
  store: Pick<Store, 'get' | 'list' | 'idsOf' | 'secrets'>,
  settings: Pick<Settings, 'providerSubscription' | 'accounts'>,
  remember: Remember,
): VerifyGate[] {
  const clusters = reviseGate(store, settings, remember)?.document.clusters ?? [];
  const place = ({ address, port }: { readonly address: string; readonly port: number }): string =>
    `${address} ${port}`;
  const open = new Set(clusters.flatMap(({ accounts }) => accounts.map(({ upstream }) => place(upstream))));
  const states = new Map(
    store.idsOf(clusterType).flatMap((id) => {
      const state = store.get<ClusterProperties, ClusterState>(id)?.state;
      return state ? [[state.identity, state] as const] : [];
    }),
  );
  return clusters.flatMap(({ identity, accounts }) => {
    const state = states.get(identity);
    if (!state || accounts.length === 0) return [];
    return {
      operator: state.operator.machine,
      authority: state.gateAuthority ?? null,
      accounts: accounts.map(({ name, upstream: { address, port }, rules }) => ({
        ...{ name, address, port, ask: harmless(rules) },
      })),
      others: settings.accounts
        .filter((other) => !accounts.some(({ name }) => name === other.name))
        .map(({ name, address, port }) => ({
          name,
          address,
          port,
          shut: !open.has(place({ address, port })),
        })),
    };
  });
}

/**
 * Something that the rules let through, at a place where nothing is, by a method that reads where there is one. What may only delete is
 * never asked for.
 */
function harmless(rules: GateAccount['rules']): { method: string; path: string } | null {
  const lets = ({ methods }: GateRule, method: GateRule['methods'][number]): boolean =>
    methods.length === 0 || methods.includes(method);
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH'] as const) {
    const rule = rules.find((one) => lets(one, method));
    if (rule) return { method, path: `${rule.path ?? ''}/sallyport-verify` };
  }
  return null;
}
