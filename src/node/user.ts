import { readFile } from 'node:fs/promises';

/** Who Cassandra runs as. */
export const cassandraUid = 999;

/**
 * Whether this machine's user namespace knows that uid. A machine of one mapped uid doesn't: there Cassandra gets a user
 * namespace of its own, and the kernel can't tell its packets from the agent's.
 */
export async function hasOwnUid(): Promise<boolean> {
  return mapsUid(await readFile('/proc/self/uid_map', 'utf8'), cassandraUid);
}

export function mapsUid(map: string, uid: number): boolean {
  return map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([first = 0, , count = 0]) => uid >= first && uid < first + count);
}
