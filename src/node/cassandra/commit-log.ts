import { constants } from 'node:fs';
import { lstat, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes segments of the commit log that hold nothing but zeros, and returns their names. Cassandra makes a segment at its
 * whole size and writes its head afterwards; where the disk had no room for the head, the file stays, and no start gets past it,
 * also when there is room again. Call it while Cassandra doesn't run. A segment with one byte in it stays.
 */
export async function dropUnwrittenSegments(folder: string): Promise<readonly string[]> {
  // The folder is Cassandra's, which is trusted with nothing: no link is followed.
  if (!(await lstat(folder).catch(() => undefined))?.isDirectory()) return [];
  const dropped: string[] = [];
  for (const name of await readdir(folder)) {
    if (!/^CommitLog-[\d-]+\.log$/.test(name) || !(await isAllZeros(join(folder, name)))) continue;
    await unlink(join(folder, name));
    dropped.push(name);
  }
  return dropped.toSorted();
}

const chunk = 1 << 20;

async function isAllZeros(path: string): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (!file) return false;
  try {
    if (!(await file.stat()).isFile()) return false;
    const buffer = Buffer.alloc(chunk);
    const zeros = Buffer.alloc(chunk);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunk);
      if (bytesRead === 0) return true;
      if (buffer.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) return false;
    }
  } finally {
    await file.close();
  }
}
