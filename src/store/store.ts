import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../lib/files.ts';
import { enrolmentsIn, type Enrolments } from './enrolments.ts';
import { eventsIn, type Events } from './events.ts';
import { operationsIn, type Operations } from './operations.ts';
import { principalsIn, type Principals } from './principals.ts';
import type { Resource, Store } from './resource.ts';
import { resourcesIn, type Resources } from './resources.ts';
import { secretsIn } from './secrets.ts';
import { openDatabase } from './sqlite.ts';
import { verifyRunsIn, type VerifyRuns } from './verify-runs.ts';

/** The store as control itself sees it; kinds see the narrower {@link Store}. */
export interface ControlStore extends Store, Pick<Resources, 'write' | 'startDelete' | 'retag'> {
  readonly operations: Operations;
  readonly events: Events;
  readonly principals: Principals;
  readonly enrolments: Enrolments;
  readonly verifyRuns: VerifyRuns;
  close(): void;
}

export interface StoreOptions {
  /** `:memory:` for tests of what stands above. */
  readonly path: string;
  readonly masterKey: Buffer;
  readonly clock: Clock;
  /** What callers see of a resource; left out, every new state is a new etag. */
  readonly shown?: (resource: Resource) => unknown;
}

export function openStore({
  path,
  masterKey,
  clock,
  shown = (resource) => resource.state,
}: StoreOptions): ControlStore {
  const db = openDatabase(path);
  const operations = operationsIn(db, clock);
  const events = eventsIn(db, clock);
  return {
    ...resourcesIn({ db, clock, operations, events, shown }),
    operations,
    events,
    principals: principalsIn(db, clock),
    enrolments: enrolmentsIn(db, clock),
    verifyRuns: verifyRunsIn(db, clock),
    secrets: secretsIn(db, masterKey),
    transaction: (work) => db.transaction(work),
    event: (id, reason, message, type = 'Normal') => events.add(id, reason, message, type),
    close: () => db.close(),
  };
}

/** The key that seals the secrets: made once, 0600, beside the database and never in it. */
export async function masterKeyIn(folder: string): Promise<Buffer> {
  const path = join(folder, 'master.key');
  const text = await readFileIfThere(path);
  if (text === undefined) {
    if (existsSync(join(folder, 'sallyport.db'))) {
      throw new UserError(
        'MasterKeyMissing',
        `There is a database but no ${path}: its secrets can't be opened.`,
        'Put master.key back from your backup.',
      );
    }
    const key = randomBytes(32);
    await writeFileAtomic(path, `${key.toString('hex')}\n`);
    return key;
  }
  const key = Buffer.from(text.trim(), 'hex');
  if (key.length !== 32) {
    throw new UserError(
      'MasterKeyDamaged',
      `${path} is not 64 hexadecimal digits.`,
      'Put master.key back from your backup.',
    );
  }
  return key;
}
