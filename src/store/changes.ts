import type { Change, Store } from './resource.ts';
import type { Database } from './sqlite.ts';

export interface Changes {
  /** From within the transaction that writes it. */
  tell(change: Change): void;
  readonly listen: Store['onChange'];
}

/**
 * Tells of writes at once, so that who reads on within the transaction is never behind. What is rolled back changes once more:
 * somebody may have read it in between.
 */
export function changesIn(db: Pick<Database, 'onEnd' | 'onRollback'>): Changes {
  const listeners = new Set<(change: Change) => void>();
  const inTransaction: Change[] = [];
  const tellAll = (change: Change): void => {
    for (const listener of listeners) listener(change);
  };
  db.onEnd(() => void inTransaction.splice(0));
  db.onRollback(() => {
    for (const change of [...inTransaction]) tellAll(change);
  });
  return {
    tell(change) {
      inTransaction.push(change);
      tellAll(change);
    },
    listen(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
  };
}
