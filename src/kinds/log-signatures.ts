/** The right to write logs, where control makes it itself: kept with the secrets, and made anew long before it ends. */
import { endOfSignature, signForContainer } from '../lib/shared-access.ts';
import type { Store } from '../store/resource.ts';
import type { Pass } from './pass.ts';
import { isPlatformSubnet } from './platform-network.ts';
import type { ServiceAccount } from './service-accounts.ts';
import type { Subnet } from './subnet/schema.ts';

const dayMs = 86_400_000;
export const signatureTimes = { holdsMs: 14 * dayMs, renewBeforeMs: 7 * dayMs } as const;

const secretOf = ({ id }: Pick<ServiceAccount, 'id'>): string => `services/log-signature/${id.toLowerCase()}`;

/**
 * A piece of work of the installation's, once for it. A change of the secret is a change of what operators are told, and nodes take
 * it without being started again.
 */
export function renewLogSignatures(subnet: Subnet, { store, settings, now, again }: Pass): void {
  if (subnet.name !== 'operators' || !isPlatformSubnet(store, subnet.id)) return;
  for (const account of settings.accounts) {
    const { logs } = account;
    if (!logs || !('key' in logs)) continue;
    const had = store.secrets.get(secretOf(account));
    const ends = endOfSignature(had ?? '');
    const left = ends - now;
    // More than it ever was given: the clock was set back.
    const holds = left >= signatureTimes.renewBeforeMs && left <= signatureTimes.holdsMs;
    if (holds && had === signForContainer(logs, logs.container, ends)) {
      again(ends - signatureTimes.renewBeforeMs + 1);
      continue;
    }
    // Writing it has this looked at once more.
    store.secrets.set(
      secretOf(account),
      signForContainer(logs, logs.container, now + signatureTimes.holdsMs),
    );
  }
}

/** What an account's logs are written by now; undefined: there is no right yet. */
export function logRight(store: Pick<Store, 'secrets'>, account: ServiceAccount): string | undefined {
  const { logs } = account;
  return logs && ('key' in logs ? store.secrets.get(secretOf(account)) : logs.sas);
}
