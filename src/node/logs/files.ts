import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { bears, headLength, nextToRead, placeAt, wholeLines } from './place.ts';
import type { Found, Mark, Place, Reading } from './place.ts';

/** A log on the disk, and how many rotated files of it are kept: `system.log.1` and up. */
export interface LogFile {
  /** As it is called where it is sent to. */
  readonly name: string;
  readonly path: string;
  readonly kept: number;
}

/** Bytes to be sent, and where the next ones are once they were. None: the file was cut short, and goes on from where it ends. */
export interface Block {
  readonly bytes: Buffer;
  /** The file that they stand in, and from where. */
  readonly mark: Mark;
  readonly from: number;
  readonly after: Reading & { readonly place: Place };
  readonly lost: boolean;
}

interface Opened extends Found {
  readonly handle: FileHandle;
}

/**
 * In a folder that a Cassandra which was taken over may write: never through a link, by which it would be shown a file that it may
 * not read, and never into a pipe, at which it would let us wait.
 */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function openLog(path: string, rotated: boolean): Promise<Opened | undefined> {
  const handle = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP' || error.code === 'ENXIO') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const said = await handle.stat();
    if (said.isFile()) {
      const head = await readAt(handle, 0, Math.min(headLength, said.size));
      return { name: path, rotated, size: said.size, head, handle };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** All files of a log, open. The newest first: renaming moves a file towards those that are looked at later. */
async function withFiles<T>(log: LogFile, use: (files: readonly Opened[]) => Promise<T>): Promise<T> {
  const files: Opened[] = [];
  try {
    for (let at = 0; at <= log.kept; at++) {
      const file = await openLog(at === 0 ? log.path : `${log.path}.${at}`, at > 0);
      if (file) files.push(file);
    }
    return await use(files);
  } finally {
    for (const { handle } of files) await handle.close();
  }
}

/** The next block of whole lines; undefined: nothing is new. */
export const readBlock = (log: LogFile, reading: Reading, most: number): Promise<Block | undefined> =>
  withFiles(log, async (files) => {
    const next = nextToRead(files, reading);
    if (!next) return undefined;
    if (next.place && next.lost)
      return {
        ...{ bytes: Buffer.alloc(0), mark: next.place.mark, from: next.from, lost: true },
        after: { place: next.place, done: next.done },
      };
    const { handle, size, rotated } = files.find(({ name }) => name === next.file.name)!;
    const wanted = Math.min(most, size - next.from);
    const read = await readAt(handle, next.from, wanted);
    // It may have been emptied in between, and written anew: then this is not what it seems to be.
    const head = await readAt(handle, 0, headLength);
    const begins = next.file.head;
    if (!head.subarray(0, begins.length).equals(begins) || read.length < wanted) return undefined;
    const length = wholeLines(read, wanted === most, rotated);
    if (length === 0) return undefined;
    const place = placeAt(head, next.from + length);
    return {
      ...{ bytes: read.subarray(0, length), mark: place.mark, from: next.from, lost: next.lost },
      after: { place, done: next.done },
    };
  });

/** Bytes that were read before; undefined: they are gone. */
export const readAgain = (
  log: LogFile,
  { mark, from, length }: { readonly mark: Mark; readonly from: number; readonly length: number },
): Promise<Buffer | undefined> =>
  withFiles(log, async (files) => {
    const file = files.find(({ head, size }) => bears(head, mark) && size >= from + length);
    const bytes = file && (await readAt(file.handle, from, length));
    return bytes?.length === length ? bytes : undefined;
  });

async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, from);
  return buffer.subarray(0, bytesRead);
}
