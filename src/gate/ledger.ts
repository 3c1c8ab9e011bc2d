/** The sums on disk, and the traffic log that they are read from. */
import { open, stat, truncate } from 'node:fs/promises';
import { execStatus } from '../lib/exec.ts';
import { readJson, writeJson } from '../lib/files.ts';
import { noCounts, withLine, type Counts } from './counts.ts';

export interface Ledger {
  read(): Counts;
  /** On disk when it resolves. */
  change(change: (counts: Counts) => Counts): Promise<void>;
  /** Reads what the log has more, and then changes the sums: whoever is gone has said its last by then. */
  follow(now: string, change: (counts: Counts) => Counts): Promise<void>;
}

/** Bytes of the log that are read at once. */
const mostAtOnce = 4 << 20;

export async function openLedger(path: string, log: string): Promise<Ledger> {
  let counts: Counts = (await readJson<Counts>(path)) ?? noCounts;
  let freed = 0;

  async function keep(next: Counts): Promise<void> {
    if (JSON.stringify(next) !== JSON.stringify(counts)) await writeJson(path, next);
    counts = next;
  }

  return {
    read: () => counts,
    change: (change) => keep(change(counts)),
    async follow(now, change) {
      let next = counts;
      for (;;) {
        const { text, from } = await readOn(log, next.offset);
        // The last line may be half written: it is read when it is whole.
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        if (whole === '') break;
        for (const line of whole.split('\n')) next = withLine(next, line, now);
        next = { ...next, offset: from + whole.length };
      }
      await keep(change(next));
      if (counts.offset - freed > mostAtOnce) await free(log, (freed = counts.offset));
    },
  };
}

/** A byte is a character here: places count bytes. */
async function readOn(
  log: string,
  offset: number,
): Promise<{ readonly text: string; readonly from: number }> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  // Somebody has emptied it: what is there now was not read yet.
  const from = size < offset ? 0 : offset;
  if (size === from) return { text: '', from };
  const file = await open(log);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size - from, mostAtOnce)), {
      position: from,
    });
    return { text: buffer.toString('latin1', 0, bytesRead), from };
  } finally {
    await file.close();
  }
}

/** The proxy adds to the end of the file it holds open: what was read is given back to the disk, and places stay what they were. */
async function free(log: string, bytes: number): Promise<void> {
  await execStatus('fallocate', ['--punch-hole', '--offset', '0', '--length', String(bytes), log]);
}

/** A file that only its end is read of: emptied where it has grown. */
export async function boundFile(path: string, bytes: number): Promise<void> {
  if (((await stat(path).catch(() => undefined))?.size ?? 0) > bytes) await truncate(path, 0);
}
