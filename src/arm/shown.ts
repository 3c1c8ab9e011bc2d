import { remembered } from '../lib/remembered.ts';
import { createLedger } from '../reconcile/ledger.ts';
import { noteChange, noting } from '../store/noting.ts';
import type { Resource, Store } from '../store/resource.ts';
import { keyOf } from '../store/rows.ts';
import { show } from './envelope.ts';
import type { AnyKind } from './kind.ts';

/** A resource as everybody sees it, as JSON text. */
export type Shown = (kind: AnyKind, resource: Resource) => string;

/** More than any list that is looked at again and again; about 3 KB each. */
const mostKept = 5_000;

/**
 * Renders a resource once, as long as nothing that it was read off has changed: its own row, and whatever else its kind looked
 * at for it. So a kind's `show` reads the store, and nothing else.
 */
export function createShown(store: Store, kept = mostKept): Shown {
  const ledger = createLedger(() => undefined);
  const noted = noting(store, ledger);
  const pieces = new Set<string>();
  store.onChange((change) => noteChange(ledger, change));
  // The same text each time, as keyOf has it: what it is looked up by need not be hashed anew.
  const pieceOf = remembered((id) => `shown ${keyOf(id)}`, { most: 4 * kept });
  return (kind, { id }) => {
    const piece = pieceOf(id);
    // Whoever was asked for last goes last. As long as there is room for all, no order is kept.
    if (pieces.size >= kept) pieces.delete(piece);
    pieces.add(piece);
    const [oldest] = pieces.size > kept ? pieces : [];
    if (oldest !== undefined) {
      pieces.delete(oldest);
      ledger.forget(oldest);
    }
    return ledger.memo(piece, () => JSON.stringify(show(kind, noted.get(id)!, noted)));
  };
}
