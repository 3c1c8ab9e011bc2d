import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../lib/files.ts';
import { activitiesIn, type Activities } from './activity.ts';
import { changesIn } from './changes.ts';
import { credentialsIn, type Credentials } from './credentials.ts';
import { enrolmentsIn, type Enrolments } from './enrolments.ts';
import { eventsIn, type Events } from './events.ts';
import { extensionsIn, type Extensions } from './extensions.ts';
import { operationsIn, type Operation, type Operations } from './operations.ts';
import { principalsIn, type Principals } from './principals.ts';
import type { Resource, Store } from './resource.ts';
import { resourcesIn, type Resources } from './resources.ts';
import { partsOf } from './rows.ts';
import { secretsIn } from './secrets.ts';
import { openDatabase } from './sqlite.ts';
import { verifyRunsIn, type VerifyRuns } from './verify-runs.ts';

/** The store as control itself sees it; kinds see the narrower {@link Store}. */
export interface ControlStore extends Store, Pick<Resources, 'write' | 'startDelete' | 'retag' | 'page'> {
  readonly operations: Operations;
  readonly events: Events;
  readonly activity: Activities;
  readonly principals: Principals;
  readonly credentials: Credentials;
  readonly extensions: Extensions;
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
  const credentials = credentialsIn(db, clock);
  const activity = activitiesIn(db, clock);
  const principals = principalsIn(db, clock, credentials);
  const operations = operationsIn(db, clock, (ended) => recordEnd(ended, activity, principals));
  const events = eventsIn(db, clock);
  const changes = changesIn(db);
  const resources = resourcesIn({ db, clock, changes, operations, events, shown });
  const extensions = extensionsIn(db, clock);
  return {
    ...resources,
    // What hangs on a resource goes with it: the next one of that name begins without its roles and settings.
    remove: (id) =>
      db.transaction(() => {
        resources.remove(id);
        extensions.removeWithin(id);
        principals.unassignWithin(id);
      }),
    operations,
    events,
    activity,
    principals,
    credentials,
    extensions,
    enrolments: enrolmentsIn(db, clock),
    verifyRuns: verifyRunsIn(db, clock),
    secrets: secretsIn(db, masterKey, changes),
    onChange: changes.listen,
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

const endedWords = { PUT: 'write', PATCH: 'write', DELETE: 'delete', POST: 'action' } as const;

/** How a long operation ended goes into the activity log under its own name: whoever asked was told `Accepted` only. */
function recordEnd(operation: Operation, activity: Activities, principals: Principals): void {
  const { resourceId, type, startedBy, fault, state } = operation;
  const { subscriptionId, resourceGroup } = partsOf(resourceId);
  activity.add({
    subscriptionId,
    resourceGroup: resourceGroup || null,
    resourceId,
    caller: startedBy,
    callerName: principals.get(startedBy)?.displayName ?? startedBy,
    operation: `${type}/${endedWords[operation.verb]}`,
    status: state === 'Succeeded' ? 'Succeeded' : 'Failed',
    refused: false,
    httpStatus: null,
    code: fault?.code ?? null,
    message: fault?.message ?? null,
    correlationId: operation.id,
  });
}
