/**
 * What was collected and has not arrived, on disk, as the pieces that Prometheus made of it. Bounded in bytes and in time: what is
 * oldest is given up first. Nothing in here is looked into.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { writeFileAtomic } from '../../lib/files.ts';

export interface Piece {
  /** A file's name; in their order the pieces were handed in. */
  readonly name: string;
  /** When it was handed in, milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

export interface Spool {
  /** It is on disk when this resolves. Throws where the disk has no room. */
  put(body: Buffer): Promise<void>;
  /** Undefined: nothing waits. */
  oldest(): Piece | undefined;
  read(piece: Piece): Promise<Buffer>;
  drop(piece: Piece): Promise<void>;
  /** Gives up what is too old. */
  expire(): Promise<void>;
  /** Bytes that wait. */
  waiting(): number;
}

export interface SpoolBounds {
  readonly bytes: number;
  readonly ms: number;
}

/** A node of few tables makes 19 MB in that time. The monitoring of the installation takes what is up to a day old. */
export const spoolBounds: SpoolBounds = { bytes: 2 ** 30, ms: 12 * 3_600_000 };

const named = /^(\d{14})-(\d{6})\.snappy$/;
const nameOf = (at: number, number: number): string =>
  `${String(at).padStart(14, '0')}-${String(number % 1_000_000).padStart(6, '0')}.snappy`;

export async function openSpool(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly bounds?: SpoolBounds;
  /** So many bytes were given up. */
  readonly onLost: (bytes: number) => void;
}): Promise<Spool> {
  const { folder, clock, bounds = spoolBounds, onLost } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pieces: Piece[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const at = Number(named.exec(name)?.[1] ?? Number.NaN);
    // A draft: whoever wrote it died before it was a piece, and was told nothing.
    if (Number.isNaN(at)) await rm(join(folder, name), { force: true });
    else pieces.push({ name, at, bytes: (await stat(join(folder, name))).size });
  }
  let waiting = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  let last = pieces.at(-1)?.at ?? 0;
  // Of the next one that is handed in within the same millisecond.
  let number = Number(named.exec(pieces.at(-1)?.name ?? '')?.[2] ?? -1) + 1;

  async function drop(piece: Piece): Promise<void> {
    const index = pieces.indexOf(piece);
    if (index < 0) return;
    pieces.splice(index, 1);
    waiting -= piece.bytes;
    await rm(join(folder, piece.name), { force: true });
  }

  /** Until there is room for so many bytes more. */
  async function giveUp(room: number): Promise<void> {
    const before = waiting;
    for (let [piece] = pieces; piece; [piece] = pieces) {
      if (waiting + room <= bounds.bytes && clock.now() - piece.at <= bounds.ms) break;
      await drop(piece);
    }
    if (waiting < before) onLost(before - waiting);
  }

  return {
    async put(body) {
      await giveUp(body.length);
      // A clock that was put back must not put what is newer before what is older.
      const at = Math.max(clock.now(), last);
      if (at > last) number = 0;
      const piece = { name: nameOf(at, number++), at, bytes: body.length };
      last = at;
      await writeFileAtomic(join(folder, piece.name), body);
      pieces.push(piece);
      waiting += piece.bytes;
    },
    oldest: () => pieces[0],
    read: (piece) => readFile(join(folder, piece.name)),
    drop,
    expire: () => giveUp(0),
    waiting: () => waiting,
  };
}
