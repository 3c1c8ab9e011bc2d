import type { NodeReport } from '../../exchange/intents/node.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Jolokia } from './jolokia.ts';
import { storageService } from './truth.ts';

export type Keyspaces = NonNullable<NodeReport['keyspaces']>;

/** Which data centres the people's keyspaces are replicated to. It is asked anew only when the schema has changed. */
export interface KeyspaceWatch {
  /** Looks, when it is time to. Nobody waits for it. */
  look(mode: string | null): void;
  /** Undefined while it isn't known. */
  now(): Keyspaces | undefined;
}

const everyMs = 4_500;
const together = 100;
/** So many names of a data centre are enough to say why it can't go. */
const most = 100;

export function createKeyspaceWatch(options: {
  readonly jolokia: Pick<Jolokia, 'read'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly onChange: () => void;
}): KeyspaceWatch {
  const { jolokia, clock, log } = options;
  let asking = false;
  let askedAt = -everyMs;
  let known: { readonly schema: string; readonly keyspaces: Keyspaces } | undefined;

  async function ask(): Promise<void> {
    const [schema, all] = await jolokia.read([
      { mbean: storageService, attribute: 'SchemaVersion' },
      { mbean: storageService, attribute: 'NonLocalStrategyKeyspaces' },
    ]);
    if (typeof schema !== 'string' || !Array.isArray(all) || schema === known?.schema) return;
    const people = all.map(String).filter(isPeoples).toSorted();
    const named: (readonly [string, string])[] = [];
    for (let at = 0; at < people.length; at += together) {
      const names = people.slice(at, at + together);
      const said = await jolokia.read(
        names.map((name) => ({
          mbean: storageService,
          operation: 'getKeyspaceReplicationInfo',
          arguments: [name],
        })),
      );
      // One that was dropped in between is refused, and is not counted.
      said.forEach((info, index) => {
        if (typeof info === 'string') for (const to of namedIn(info)) named.push([to, names[index]!]);
      });
    }
    known = { schema, keyspaces: byDataCenter(named) };
    options.onChange();
  }

  return {
    look(mode) {
      if (mode !== 'NORMAL') known = undefined;
      if (mode !== 'NORMAL' || asking || clock.now() - askedAt < everyMs) return;
      asking = true;
      askedAt = clock.now();
      ask()
        // What was known stays known: the next look asks again.
        .catch((error: unknown) => log.debug('Cassandra did not say how keyspaces are replicated', { error }))
        .finally(() => (asking = false));
    },
    now: () => known?.keyspaces,
  };
}

/** Not the database's own, which follow the data centres by themselves. */
export const isPeoples = (keyspace: string): boolean => !/^system(?:_|$)/.test(keyspace);

/** Stands for each data centre that there is. */
export const everyDataCenter = '*';

/**
 * Whom a replication names, from Cassandra's own words: `NetworkTopologyStrategy {dc1=3, dc2=3}`. Only that strategy speaks of
 * data centres; any other puts replicas on whatever node comes next.
 */
export function namedIn(info: string): readonly string[] {
  const [, strategy, options = ''] = /^(\S+) ?\{?([^}]*)/.exec(info) ?? [];
  if (strategy === undefined || strategy === 'LocalStrategy') return [];
  if (strategy !== 'NetworkTopologyStrategy') return [everyDataCenter];
  return options
    .split(', ')
    .map((option) => option.split('='))
    .flatMap(([name = '', replicas = '0']) => (name !== '' && replicas !== '0' ? [name] : []));
}

function byDataCenter(named: readonly (readonly [string, string])[]): Keyspaces {
  const lists = Map.groupBy(named, ([dataCenter]) => dataCenter);
  return Object.fromEntries(
    [...lists].map(([dataCenter, list]) => [dataCenter, list.slice(0, most).map(([, name]) => name)]),
  );
}
