/** Reading that is noted: the names by which a ledger knows what is read of the store. */
import type { Ledger } from '../reconcile/ledger.ts';
import type { Change, Store } from './resource.ts';
import { keyOf } from './rows.ts';

const listOf = (type: string, scope: string): string => `list ${keyOf(type)} ${scope}`;
const belowOf = (scope: string): string => `below ${scope}`;
const secretOf = (name: string): string => `secret ${name}`;
const scopeOf = (scope: string | undefined): string => keyOf(scope ?? '').replace(/\/+$/, '');

/** The store, noting what is read of it. A resource is known by its id in lower case. */
export function noting(store: Store, ledger: Pick<Ledger, 'reads'>): Store {
  return {
    ...store,
    get(id) {
      ledger.reads(keyOf(id));
      return store.get(id);
    },
    list(type, scope) {
      ledger.reads(listOf(type, scopeOf(scope)));
      return store.list(type, scope);
    },
    idsOf(type) {
      ledger.reads(listOf(type, ''));
      return store.idsOf(type);
    },
    below(scope) {
      ledger.reads(belowOf(scopeOf(scope)));
      return store.below(scope);
    },
    putOwned(resource) {
      // It is held against what is there: who puts it sees to it that it stays so.
      ledger.reads(keyOf(resource.id));
      store.putOwned(resource);
    },
    secrets: {
      ...store.secrets,
      get(name) {
        ledger.reads(secretOf(name));
        return store.secrets.get(name);
      },
    },
  };
}

/** A write changes the resource itself, and every list that it is in or would be in. */
export function noteChange(ledger: Pick<Ledger, 'changed'>, change: Change): void {
  if (change.of === 'secret') return ledger.changed(secretOf(change.name));
  const { key, type } = change;
  ledger.changed(key);
  for (let at = key.lastIndexOf('/'); at >= 0; at = at > 0 ? key.lastIndexOf('/', at - 1) : -1) {
    const scope = key.slice(0, at);
    ledger.changed(listOf(type, scope));
    ledger.changed(belowOf(scope));
  }
}
