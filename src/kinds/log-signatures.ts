/** The right to write logs, where control makes it itself: kept with the secrets, and made anew long before it ends. */
import { endOfSignature, signForContainer } from '../lib/shared-access.ts';
import type { Store } from '../store/resource.ts';
import type { Pass } from './pass.ts';
import { isPlatformSubnet } from './platform-network.ts';
import type { ServiceAccount } from './service-accounts.ts';
import type { Subnet } from './subnet/schema.ts';

const dayMs = 86_400_000;
export const signatureTimes = { holdsMs: 14 * dayMs, renewBeforeMs: 7 * dayMs } as const;

/** Of all accounts in one, so that one which is no account any more leaves nothing behind: JSON, by the account's id. */
const secret = 'services/log-signatures';
type Signatures = Readonly<Record<string, string>>;

const read = ({ secrets }: Pick<Store, 'secrets'>): Signatures =>
  JSON.parse(secrets.get(secret) ?? '{}') as Signatures;
const keyOf = ({ id }: Pick<ServiceAccount, 'id'>): string => id.toLowerCase();

/**
 * A piece of work of the installation's, once for it. A change of the secret is a change of what operators are told, and nodes take
 * it without being started again.
 */
export function renewLogSignatures(subnet: Subnet, { store, settings, now, again }: Pass): void {
  if (subnet.name !== 'operators' || !isPlatformSubnet(store, subnet.id)) return;
  const had = read(store);
  const next: Record<string, string> = {};
  for (const account of settings.accounts) {
    const { logs } = account;
    if (!logs || !('key' in logs)) continue;
    const key = keyOf(account);
    const ends = endOfSignature(had[key] ?? '');
    const left = ends - now;
    // More than it ever was given: the clock was set back.
    const holds = left >= signatureTimes.renewBeforeMs && left <= signatureTimes.holdsMs;
    const keep = holds && had[key] === signForContainer(logs, logs.container, ends);
    const until = keep ? ends : now + signatureTimes.holdsMs;
    next[key] = signForContainer(logs, logs.container, until);
    again(until - signatureTimes.renewBeforeMs + 1);
  }
  // Written where it differs alone: who reads it is looked at once more.
  const text = JSON.stringify(next);
  if (text === JSON.stringify(had)) return;
  if (text === '{}') store.secrets.delete(secret);
  else store.secrets.set(secret, text);
}

/** What an account's logs are written by now; undefined: there is no right yet. */
export function logRight(store: Pick<Store, 'secrets'>, account: ServiceAccount): string | undefined {
  const { logs } = account;
  return logs && ('key' in logs ? read(store)[keyOf(account)] : logs.sas);
}
