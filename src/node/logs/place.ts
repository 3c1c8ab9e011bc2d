/**
 * Where in a log the next byte to send is: pure. A log is a file and what it was called before it was rotated, by renaming
 * (Cassandra's) or by copying and emptying (our own). Names and inodes change hands in both; so a file is known by how it begins.
 */
import { createHash } from 'node:crypto';

/** One file of a log as it was found, newest first in a list: the log itself, then what was rotated. */
export interface Found {
  readonly name: string;
  readonly rotated: boolean;
  readonly size: number;
  /** Its first bytes, {@link headLength} at most. */
  readonly head: Buffer;
}

export const headLength = 256;

/** How a file begins: the length and the digest of so many bytes. */
export type Mark = string;

export const markOf = (head: Buffer, length = head.length): Mark =>
  `${length}:${createHash('sha256').update(head.subarray(0, length)).digest('base64url')}`;

export function bears(head: Buffer, mark: Mark): boolean {
  const length = Number(mark.split(':')[0]);
  return length > 0 && head.length >= length && markOf(head, length) === mark;
}

export interface Place {
  readonly mark: Mark;
  readonly offset: number;
}

/** The mark of a file that has been read up to `offset`: it only grows, and so it begins like that for good. */
export const placeAt = (head: Buffer, offset: number): Place => ({
  mark: markOf(head, Math.min(head.length, offset)),
  offset,
});

export interface Reading {
  readonly place: Place | null;
  /** Files that were read to their end, and rotated. */
  readonly done: readonly Mark[];
}

export interface Next extends Reading {
  /** Which of the files found, and from which byte. */
  readonly file: Found;
  readonly from: number;
  /** The file that was being read is gone, and what was not read of it. */
  readonly lost: boolean;
}

const mostDone = 16;

/** What to read next; undefined: nothing is new. Bytes may get lost where files do, and none is read twice. */
export function nextToRead(files: readonly Found[], { place, done }: Reading): Next | undefined {
  const at = place === null ? -1 : files.findIndex(({ head }) => bears(head, place.mark));
  const unread = (among: readonly Found[], known: readonly Mark[]): Found | undefined =>
    among.findLast(({ head, size }) => size > 0 && !known.some((mark) => bears(head, mark)));
  if (place === null || at < 0) {
    const file = unread(files, done);
    return file && { file, from: 0, place: null, done, lost: place !== null };
  }
  const current = files[at]!;
  if (current.size > place.offset) return { file: current, from: place.offset, place, done, lost: false };
  // A copy may hold less than the file that it was made of.
  if (current.rotated || at > 0) {
    const finished = [...done, markOf(current.head)].slice(-mostDone);
    const file = unread(files.slice(0, at), finished);
    return file && { file, from: 0, place: null, done: finished, lost: false };
  }
  // Cut short, and begins as before: what comes from now on is new.
  if (current.size < place.offset)
    return { file: current, from: current.size, place: { ...place, offset: current.size }, done, lost: true };
  return undefined;
}

/** How many of the bytes to send: whole lines, unless a line is longer than they are, or nothing more will come. */
export function wholeLines(bytes: Buffer, isFull: boolean, isLast: boolean): number {
  if (isLast && !isFull) return bytes.length;
  const end = bytes.lastIndexOf(0x0a) + 1;
  return end > 0 ? end : isFull ? bytes.length : 0;
}
