import { TimeoutError, until } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { nodeRows } from '../cassandra-cluster/status.ts';
import type { Progress } from '../output/progress.ts';

/** Machines start, Cassandra comes up and opens CQL; on a slow machine that takes a minute. */
const timeoutMs = 300_000;

/**
 * Waits until every node of a ring is up and nothing is missing. A data centre that was made before is Succeeded from the
 * first moment after `up`, though its nodes are only starting then.
 */
export async function ringUp(client: ArmClient, cluster: string, progress: Progress): Promise<void> {
  const name = cluster.split('/').at(-1)!;
  let missing = '';
  const check = async (): Promise<true | undefined> => {
    const status = await client.get(`${cluster}/status`);
    const errors = (status['connectionErrors'] ?? []) as readonly JsonObject[];
    const rows = nodeRows(status);
    const up = rows.filter(({ status: seen, state }) => seen === 'Up' && state === 'Normal');
    if (errors.length === 0 && up.length === rows.length) return true;
    missing = `${up.length} of ${rows.length} nodes of cluster ${name} are up`;
    progress.show(missing);
    return undefined;
  };
  try {
    await until('the ring', check, { timeoutMs, everyMs: 500, clock: client.clock, signal: client.signal });
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw new UserError(
      'RingNotUp',
      `After ${timeoutMs / 1000} s ${missing}.`,
      'sallyport status shows what runs, and sallyport logs what was said',
      error,
    );
  }
}
