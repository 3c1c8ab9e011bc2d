/**
 * What was collected and has not arrived, on disk, as the pieces that Prometheus made of it. Bounded in bytes, in files and in time:
 * what is oldest is given up first. Nothing in here is looked into.
 */
import { mkdir, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { writeFileAtomic } from '../../lib/files.ts';

export interface Piece {
  /** A file's name; in their order the pieces were handed in. */
  readonly name: string;
  /** When it was handed in, milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

export interface Spool {
  /** Reads what waits from before. Throws where it can't; until it could nothing waits, and nothing is taken. */
  open(): Promise<void>;
  /** It is on disk when this resolves. Throws where the disk has no room, or would soon have none for what else is written there. */
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
  /** A piece counts as what it takes of the disk at the least: {@link leastOfPiece}. */
  readonly bytes: number;
  /** Bytes of the disk that are left to others: the operator's own book is there. */
  readonly floor: number;
  readonly ms: number;
}

/** A node of few tables makes 19 MB in that time. The monitoring of the installation takes what is up to a day old. */
export const spoolBounds: SpoolBounds = { bytes: 2 ** 30, floor: 2 ** 28, ms: 12 * 3_600_000 };
export const leastOfPiece = 4_096;

const named = /^(\d{14})-(\d{6})\.snappy$/;
const nameOf = (at: number, number: number): string =>
  `${String(at).padStart(14, '0')}-${String(number % 1_000_000).padStart(6, '0')}.snappy`;

export function createSpool(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly bounds?: SpoolBounds;
  /** So many bytes were given up. */
  readonly onLost: (bytes: number) => void;
}): Spool {
  const { folder, clock, bounds = spoolBounds, onLost } = options;
  const pieces: Piece[] = [];
  let opened = false;
  let waiting = 0;
  let taken = 0;
  let last = 0;
  // Of the next one that is handed in within the same millisecond.
  let number = 0;

  const take = ({ bytes }: Pick<Piece, 'bytes'>): number => Math.max(bytes, leastOfPiece);

  function count(piece: Piece, sign: 1 | -1): void {
    waiting += sign * piece.bytes;
    taken += sign * take(piece);
  }

  async function open(): Promise<void> {
    if (opened) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found: Piece[] = [];
    for (const name of (await readdir(folder)).sort()) {
      const at = Number(named.exec(name)?.[1] ?? Number.NaN);
      // A draft: whoever wrote it died before it was a piece, and was told nothing.
      if (Number.isNaN(at)) await rm(join(folder, name), { force: true });
      else found.push({ name, at, bytes: (await stat(join(folder, name))).size });
    }
    for (const piece of found) count(piece, 1);
    pieces.push(...found);
    last = found.at(-1)?.at ?? 0;
    number = Number(named.exec(found.at(-1)?.name ?? '')?.[2] ?? -1) + 1;
    opened = true;
  }

  async function drop(piece: Piece): Promise<void> {
    const index = pieces.indexOf(piece);
    if (index < 0) return;
    pieces.splice(index, 1);
    count(piece, -1);
    await rm(join(folder, piece.name), { force: true });
  }

  async function leaveRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize >= bounds.floor) return;
    const why = `The operator's disk has less than ${bounds.floor / 2 ** 20} MB left, which are kept for what it can't do without: what is collected isn't taken.`;
    throw new UserError('DiskAlmostFull', why, 'Free some there.');
  }

  /** Until there is room for so many bytes more. */
  async function giveUp(room: number): Promise<void> {
    const before = waiting;
    for (let [piece] = pieces; piece; [piece] = pieces) {
      if (taken + room <= bounds.bytes && clock.now() - piece.at <= bounds.ms) break;
      await drop(piece);
    }
    if (waiting < before) onLost(before - waiting);
  }

  return {
    open,
    async put(body) {
      await open();
      await leaveRoom();
      await giveUp(take({ bytes: body.length }));
      // A clock that was put back must not put what is newer before what is older.
      const at = Math.max(clock.now(), last);
      if (at > last) number = 0;
      const piece = { name: nameOf(at, number++), at, bytes: body.length };
      last = at;
      await writeFileAtomic(join(folder, piece.name), body);
      pieces.push(piece);
      count(piece, 1);
    },
    oldest: () => pieces[0],
    read: (piece) => readFile(join(folder, piece.name)),
    drop,
    expire: () => giveUp(0),
    waiting: () => waiting,
  };
}
