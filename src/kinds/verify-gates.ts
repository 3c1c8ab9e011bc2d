/** What a proof must know of the gate, read off the store: pure. */
import type { VerifyGate } from '../exchange/intents/fabric.ts';
import type { GateAccount, GateRule } from '../exchange/intents/gate.ts';
import type { Store } from '../store/resource.ts';
import { clusterType, type ClusterProperties, type ClusterState } from './cassandra-cluster/schema.ts';
import { isWithin, reviseGate } from './gate-intent.ts';
import type { Remember } from './remember.ts';
import { isMonitor } from './service-accounts.ts';
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
  const monitors = new Set(settings.accounts.filter(({ id }) => isMonitor(id)).map(({ name }) => name));
  return clusters.flatMap(({ identity, accounts }) => {
    const state = states.get(identity);
    if (!state || accounts.length === 0) return [];
    return {
      operator: state.operator.machine,
      authority: state.gateAuthority ?? null,
      accounts: accounts.map(({ name, upstream: { address, port }, rules }) => ({
        ...{ name, address, port, ask: harmless(rules, monitors.has(name)) },
      })),
      others: settings.accounts
        .filter((other) => !accounts.some(({ name }) => name === other.name))
        .map(({ id, name, address, port }) => ({
          name,
          address,
          port,
          shut: !open.has(place({ address, port })),
          shared: isWithin(id, `/subscriptions/${settings.providerSubscription}`),
        })),
    };
  });
}

/** Where monitoring is written to. */
const toMonitor = '/api/v1/write';

/**
 * Something that the rules let through, at a place where nothing is, by a method that reads where there is one, else by PUT on a condition. DELETE
 * is never asked for, nor are POST and PATCH: what they do nobody can know, and no condition bounds it. Monitoring is known: below its one
 * path to write it answers that nothing is there.
 */
function harmless(rules: GateAccount['rules'], monitor: boolean): { method: string; path: string } | null {
  const lets = ({ methods }: GateRule, method: GateRule['methods'][number]): boolean =>
    methods.length === 0 || methods.includes(method);
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST'] as const) {
    if (method === 'POST' && !monitor) continue;
    const within = method === 'POST' ? [null, toMonitor] : undefined;
    const rule = rules.find((one) => lets(one, method) && (within?.includes(one.path) ?? true));
    if (rule) return { method, path: `${within ? toMonitor : (rule.path ?? '')}/sallyport-verify` };
  }
  return null;
}
