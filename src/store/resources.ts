import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Changes } from './changes.ts';
import type { Events } from './events.ts';
import type { Operation, Operations } from './operations.ts';
import type {
  JsonObject,
  OwnedResource,
  ProvisioningState,
  Resource,
  Store,
  SystemData,
} from './resource.ts';
import { createRowCache, preparedIn } from './row-cache.ts';
import { isTerminal, keyOf, partsOf, rangeBelow } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** What a request asks for, already judged. */
export interface Intent {
  readonly id: string;
  readonly type: string;
  readonly location: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly identity: JsonObject | null;
  readonly properties: unknown;
  readonly state: unknown;
  readonly by: string;
  readonly verb: 'PUT' | 'PATCH' | 'POST';
  /** Null: nothing to reconcile, terminal at once. Else the region in the operation's address. */
  readonly operationIn: string | null;
}

export interface Resources extends Pick<
  Store,
  'get' | 'list' | 'idsOf' | 'below' | 'setState' | 'settle' | 'remove' | 'putOwned'
> {
  /** One transaction: the row and its operation. Whatever ran on the resource before is Canceled. */
  write(intent: Intent): { readonly resource: Resource; readonly operation: Operation | undefined };
  /** To Deleting, with an operation. */
  startDelete(id: string, location: string, by: string): Operation;
  /**
   * Some of what `list` gives, in its order: at most `most` of those after the place `after`, which is 0 at the beginning.
   * `next`: the place to go on from; null: there is nothing more.
   */
  page(
    type: string,
    scope: string,
    after: number,
    most: number,
  ): { readonly resources: readonly Resource[]; readonly next: number | null };
  /** Tags alone: no new generation. */
  retag(id: string, tags: Readonly<Record<string, string>>, by: string): Resource;
}

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly operations: Operations;
  readonly events: Events;
  /** What callers see of a resource: where a new state leaves it as it is, the etag stays. */
  readonly shown: (resource: Resource) => unknown;
}

const service = 'sallyport';

export function resourcesIn({ db, clock, changes, operations, events, shown }: Parts): Resources {
  const asks = preparedIn(db);
  const stamp = (
    by: string,
  ): Pick<SystemData, 'lastModifiedAt' | 'lastModifiedBy' | 'lastModifiedByType'> => ({
    lastModifiedBy: by,
    lastModifiedByType: 'Application',
    lastModifiedAt: new Date(clock.now()).toISOString(),
  });

  const cache = createRowCache(db);

  function get<P = JsonObject, S = JsonObject>(id: string): Resource<P, S> | undefined {
    return cache.get(keyOf(id)) as Resource<P, S> | undefined;
  }

  /** Resources of keys that were just read, in their order. */
  const ofKeys = (rows: readonly { readonly key: string }[]): Resource[] =>
    rows.flatMap(({ key }) => cache.get(key) ?? []);

  const existing = (id: string): Resource => {
    const resource = get(id);
    if (!resource) throw new Error(`There is no resource ${id}.`);
    return resource;
  };

  /** The database is written first: who hears of it reads what is there now. */
  function written(key: string, type: string, write: () => unknown): void {
    cache.written(key);
    write();
    changes.tell({ of: 'resource', key, type });
  }

  const update = (
    { id, type }: Pick<Resource, 'id' | 'type'>,
    set: Partial<Omit<Insertable<Schema['resources']>, 'seq'>>,
  ): void =>
    written(keyOf(id), type, () =>
      db.run(db.query.updateTable('resources').set(set).where('key', '=', keyOf(id))),
    );

  /** Inserts, or replaces all but identity and origin. */
  function save(
    was: Resource | undefined,
    next: Pick<Intent, 'id' | 'type' | 'location' | 'tags' | 'identity' | 'properties' | 'state' | 'by'>,
    provisioningState: ProvisioningState,
  ): Resource {
    const { lastModifiedAt: now } = stamp(next.by);
    const origin = was
      ? {
          createdBy: was.systemData.createdBy,
          createdByType: was.systemData.createdByType,
          createdAt: was.systemData.createdAt,
        }
      : { createdBy: next.by, createdByType: 'Application' as const, createdAt: now };
    const changing = {
      location: next.location,
      tags: JSON.stringify(next.tags),
      identity: next.identity === null ? null : JSON.stringify(next.identity),
      properties: JSON.stringify(next.properties),
      state: JSON.stringify(next.state),
      provisioning_state: provisioningState,
      fault: null,
      generation: (was?.generation ?? 0) + 1,
      etag: newEtag(),
      system_data: JSON.stringify({ ...origin, ...stamp(next.by) }),
    };
    if (was) {
      update(was, changing);
    } else {
      const { subscriptionId, resourceGroup, name } = partsOf(next.id);
      const place = { subscription_id: subscriptionId, resource_group: resourceGroup, name };
      const names = { key: keyOf(next.id), id: next.id, type: next.type, type_key: keyOf(next.type) };
      written(names.key, next.type, () =>
        db.run(db.query.insertInto('resources').values({ ...names, ...place, ...changing })),
      );
    }
    return existing(next.id);
  }

  return {
    get,
    list<P = JsonObject, S = JsonObject>(type: string, scope?: string) {
      const typeKey = keyOf(type);
      const [from, to] = scope === undefined ? ['', '\uffff'] : rangeBelow(scope);
      return ofKeys(db.all(asks.ofType(typeKey, from, to))) as Resource<P, S>[];
    },
    idsOf: (type) => db.all(asks.idsOf(keyOf(type))).map(({ id }) => id),
    page(type, scope, after, most) {
      const [from, to] = rangeBelow(scope);
      const found = db.all(asks.page(keyOf(type), from, to, after, most + 1));
      const rows = found.slice(0, most);
      return { resources: ofKeys(rows), next: found.length > most ? rows.at(-1)!.seq : null };
    },
    below(scope) {
      const [from, to] = rangeBelow(scope);
      return ofKeys(db.all(asks.below(from, to)));
    },
    write: (intent) =>
      db.transaction(() => {
        const was = get(intent.id);
        const settled = intent.operationIn === null;
        operations.end(intent.id, 'Canceled', superseded(intent.verb));
        const resource = save(was, intent, settled ? 'Succeeded' : was ? 'Updating' : 'Creating');
        const operation = settled
          ? undefined
          : operations.start(resource, intent.verb, was === undefined, intent.operationIn, intent.by);
        return { resource, operation };
      }),
    startDelete: (id, location, by) =>
      db.transaction(() => {
        const was = existing(id);
        operations.end(id, 'Canceled', superseded('DELETE'));
        update(was, {
          provisioning_state: 'Deleting',
          fault: null,
          generation: was.generation + 1,
          etag: newEtag(),
          system_data: JSON.stringify({ ...was.systemData, ...stamp(by) }),
        });
        return operations.start(existing(id), 'DELETE', false, location, by);
      }),
    retag: (id, tags, by) =>
      db.transaction(() => {
        const was = existing(id);
        const set = {
          tags: JSON.stringify(tags),
          system_data: JSON.stringify({ ...was.systemData, ...stamp(by) }),
        };
        update(was, { ...set, etag: newEtag() });
        return existing(id);
      }),
    setState: (id, state) =>
      db.transaction(() => {
        const was = get(id);
        const text = JSON.stringify(state);
        if (!was || text === JSON.stringify(was.state)) return;
        const before = JSON.stringify(shown(was));
        update(was, { state: text });
        const after = JSON.stringify(shown({ ...was, state: JSON.parse(text) as JsonObject }));
        if (before !== after) update(was, { etag: newEtag() });
      }),
    settle: (id, generation, verdict) =>
      db.transaction(() => {
        const was = get(id);
        if (!was || was.generation !== generation) return;
        const fault = verdict.at === 'Failed' ? verdict.fault : null;
        const text = fault && JSON.stringify({ code: fault.code, message: fault.message });
        if (was.provisioningState === verdict.at && JSON.stringify(was.fault) === JSON.stringify(fault))
          return;
        update(was, { provisioning_state: verdict.at, fault: text, etag: newEtag() });
        operations.end(id, verdict.at, fault ?? undefined);
        if (fault) events.add(id, fault.code, fault.message, 'Warning');
      }),
    remove: (id) =>
      db.transaction(() => {
        const was = get(id);
        if (!was) return;
        written(keyOf(id), was.type, () =>
          db.run(db.query.deleteFrom('resources').where('key', '=', keyOf(id))),
        );
        if (was.provisioningState === 'Deleting') operations.end(id, 'Succeeded');
        else operations.end(id, 'Canceled', superseded('DELETE'));
      }),
    putOwned: (owned: OwnedResource) =>
      db.transaction(() => {
        const was = get(owned.id);
        if (was && isTerminal(was.provisioningState) && same(was, owned)) return;
        const kept = { tags: was?.tags ?? {}, identity: was?.identity ?? null };
        operations.end(owned.id, 'Succeeded');
        save(was, { ...owned, ...kept, by: service }, 'Succeeded');
      }),
  };
}

const same = (was: Resource, owned: OwnedResource): boolean =>
  was.provisioningState === 'Succeeded' &&
  was.location === owned.location &&
  JSON.stringify(was.properties) === JSON.stringify(owned.properties) &&
  JSON.stringify(was.state) === JSON.stringify(owned.state);

const newEtag = (): string => `W/"${randomUUID()}"`;

const superseded = (verb: string) => ({
  code: 'Canceled',
  message: `A later ${verb} of the same resource took its place.`,
});
