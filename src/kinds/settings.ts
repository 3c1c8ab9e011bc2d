import type { Store } from '../store/resource.ts';
import type { Levels } from './levels.ts';
import type { Probes } from './probes.ts';
import type { ServiceAccount, ServiceMachine } from './service-accounts.ts';

/** What an installation decides once, and kinds need while they judge a request or show a resource. */
export interface Settings {
  /** The subscription in which private link services stand. */
  readonly providerSubscription: string;
  /** PEM of the authority that signs control's own exchange certificate: an operator believes no other. */
  readonly operatorAuthority: string;
  /** Minutes between two rounds in which the walls are tried; 0: never. Left out: the fabric's own. */
  readonly wallsMinutes?: number | undefined;
  readonly heapMegabytes: number;
  /** Megabytes that new processes may take on this host; null: unknown, or nodes stand on hosts of their own. */
  readonly availableMegabytes: () => number | null;
  readonly levels: Levels;
  /** Has machines send packets; left out: nobody can. */
  readonly probes?: Probes | undefined;
  /** The region of what is the service's own. */
  readonly location: string;
  /** Accounts of services that operators can be let to. */
  readonly accounts: readonly ServiceAccount[];
  /** Services that stand in machines of the platform's own. */
  readonly services?: readonly ServiceMachine[] | undefined;
}

/**
 * Kinds are data and are made before control starts, so what belongs to an installation hangs on its store: two
 * installations in one process, as in tests, never mix.
 */
const known = new WeakMap<object, Settings>();

export const setSettings = (store: Store, settings: Settings): void =>
  void known.set(store.secrets, settings);

export function settingsOf(store: Store): Settings {
  const settings = known.get(store.secrets);
  if (!settings) throw new Error('A request was judged before startKinds() said what this installation is.');
  return settings;
}
