import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { UserError } from '../lib/errors.ts';
import type { Changes } from './changes.ts';
import type { Database } from './sqlite.ts';
import type { Store } from './resource.ts';

const probe = 'store/key-check';

/**
 * Secrets at rest: AES-256-GCM under the master key, each bound to its name, so that a row moved elsewhere doesn't open. It
 * guards a copied database; not against whoever can read the key's file as well.
 */
export function secretsIn(db: Database, masterKey: Buffer, changes: Pick<Changes, 'tell'>): Store['secrets'] {
  const secrets: Store['secrets'] = {
    get(name) {
      const row = db.first(db.query.selectFrom('secrets').select('value').where('name', '=', name));
      return row && open(masterKey, name, Buffer.from(row.value));
    },
    set(name, value) {
      const sealed = seal(masterKey, name, value);
      const written = db.query
        .insertInto('secrets')
        .values({ name, value: sealed })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: sealed }));
      db.transaction(() => {
        db.run(written);
        changes.tell({ of: 'secret', name });
      });
    },
    delete(name) {
      db.transaction(() => {
        const gone = db.run(db.query.deleteFrom('secrets').where('name', '=', name));
        if (gone > 0) changes.tell({ of: 'secret', name });
      });
    },
  };
  checkKey(secrets);
  return secrets;
}

/** A wrong key shows at start, and not at the first secret that is needed. */
function checkKey(secrets: Store['secrets']): void {
  try {
    if (secrets.get(probe) === undefined) secrets.set(probe, 'sallyport');
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('authenticate data')) throw error;
    throw new UserError(
      'WrongMasterKey',
      'The master key is not the one that the secrets in the database were sealed with.',
      'Put the right control/master.key back from your backup; without it the secrets are lost.',
      error,
    );
  }
}

function seal(key: Buffer, name: string, value: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

function open(key: Buffer, name: string, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
}
