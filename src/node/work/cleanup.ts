import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { Jolokia } from '../cassandra/jolokia.ts';
import { storageService } from '../cassandra/truth.ts';

/** Longer than any node takes over one keyspace: the answer is how its end is heard. */
const longestMs = 7 * 24 * 3_600_000;
const lookEveryMs = 5_000;
/** At once, of the threads that compact: requests come first. */
const jobs = 1;

/**
 * Drops the data that has become other nodes' since they joined, as `nodetool cleanup` does. It may be done again at any
 * time: one that dies in the middle begins the keyspace anew. Cassandra's own refusal is passed on in its words.
 */
export async function cleanup(
  jolokia: Jolokia,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped');
    signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const done = new Set<string>();
  for (;;) {
    const all = await keyspacesOf(jolokia);
    if (signal.aborted) throw new Error('The agent was stopped.');
    const next = all?.find((keyspace) => !done.has(keyspace));
    if (all && next === undefined) return;
    const answer = next === undefined ? 'no answer' : await Promise.race([clean(jolokia, next), stopped]);
    if (answer === 'done') done.add(next!);
    // Cassandra is being started again: what it was at is begun anew.
    else if (answer === 'no answer') await clock.sleep(lookEveryMs, signal);
  }
}

async function clean(jolokia: Jolokia, keyspace: string): Promise<'done' | 'no answer'> {
  const call = 'forceKeyspaceCleanup(int,java.lang.String,[Ljava.lang.String;)';
  let said: unknown;
  try {
    said = await jolokia.exec(storageService, call, [jobs, keyspace, []], longestMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!message.startsWith(call)) return 'no answer';
    if ((await keyspacesOf(jolokia))?.includes(keyspace) === false) return 'done';
    throw refused(keyspace, message.slice(`${call} failed: `.length));
  }
  if (said !== 0) throw refused(keyspace, 'it was interrupted, or something else is at work on its files.');
  return 'done';
}

/** Those that are spread over nodes, the database's own among them; undefined: Cassandra doesn't answer. */
async function keyspacesOf(jolokia: Jolokia): Promise<readonly string[] | undefined> {
  const [all] = await jolokia
    .read([{ mbean: storageService, attribute: 'NonLocalStrategyKeyspaces' }])
    .catch(() => [undefined]);
  return Array.isArray(all) ? all.map(String) : undefined;
}

const refused = (keyspace: string, said: string): UserError =>
  new UserError(
    'CleanupRefused',
    `Cassandra does not clean up keyspace ${keyspace}: ${said}`,
    'wait: it is tried again',
  );
