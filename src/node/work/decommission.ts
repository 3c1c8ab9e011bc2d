import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { Jolokia } from '../cassandra/jolokia.ts';
import { storageService } from '../cassandra/truth.ts';

/** Longer than any node takes to stream its data away; the call is only how its end is heard early. */
const longestMs = 7 * 24 * 3_600_000;
const lookEveryMs = 1_000;
/** A Cassandra that says nothing for so long is being started again, and has to be asked anew. */
const silentMs = 180_000;

/**
 * Takes this node out of its ring, as `nodetool decommission` does, and returns once Cassandra says that it is out. Whatever
 * it finds it goes on from: asked by a predecessor, it only waits. Cassandra's own refusal is passed on in its words.
 */
export async function decommission(
  jolokia: Jolokia,
  clock: Clock,
  signal: AbortSignal,
  silent: number = silentMs,
): Promise<void> {
  let refusal: { readonly message: string } | undefined;
  let asked = false;
  let heardAt = clock.now();
  for (;;) {
    const mode = await modeOf(jolokia);
    const now = clock.now();
    if (mode !== undefined) heardAt = now;
    if (mode === 'DECOMMISSIONED') return;
    if (refusal && mode !== 'LEAVING') throw refused(refusal.message);
    if ((mode === 'NORMAL' || mode === 'DECOMMISSION_FAILED') && !asked) {
      asked = true;
      jolokia.exec(storageService, 'decommission(boolean)', [false], longestMs).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        // A connection that broke is no answer: it is asked anew, if what comes back has not begun.
        if (message.includes(' failed: ')) refusal = { message };
        else asked = false;
      });
    }
    if (now - heardAt > silent)
      throw new UserError(
        'CassandraSilent',
        'Cassandra has not answered while the node was leaving the ring.',
        'look at the log of this node',
      );
    await clock.sleep(lookEveryMs, signal);
    if (signal.aborted) throw new Error('The agent was stopped.');
  }
}

async function modeOf(jolokia: Jolokia): Promise<string | undefined> {
  const [mode] = await jolokia
    .read([{ mbean: storageService, attribute: 'OperationMode' }])
    .catch(() => [undefined]);
  return typeof mode === 'string' ? mode : undefined;
}

const refused = (said: string): UserError =>
  new UserError(
    'DecommissionRefused',
    `Cassandra does not let the node go: ${wordsOf(said)}`,
    'lower the replication factor of that keyspace, or keep the node',
  );

/** Without Java's classes and traces, and without advice that nobody can follow here: what a person can act on. */
const wordsOf = (said: string): string =>
  said
    .replace(/^decommission\(boolean\) failed: /, '')
    .replace(/^(?:[\w.]+(?:Exception|Error) *: *)+/, '')
    .split('\n')
    .filter((line) => !/^\s|^[\w.$]+(?:Exception|Error)\b/.test(line))
    .join(' ')
    .replace(
      / *Perform a forceful decommission to ignore\.?/,
      ' Lower its replication with ALTER KEYSPACE, or keep the node.',
    )
    .replace(/ {2,}/g, ' ')
    .trim();
