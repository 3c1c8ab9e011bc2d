/**
 * Sends logs on as append blobs, each byte once. What is about to be sent is written down before it is; a repeat names the
 * position in the blob at which the first try stood, and a blob that has gone past it has the block already, for nobody else
 * writes into it. The log itself is what is kept until then: nothing is held but one block.
 */
import { createHash } from 'node:crypto';
import { readJson, writeJson } from '../../lib/files.ts';
import type { Log } from '../../lib/log.ts';
import { failed, refused, unwritten } from './faults.ts';
import { readAgain, readBlock, type LogFile } from './files.ts';
import type { Mark, Reading } from './place.ts';
import type { Answer, LogStore, StorePlace } from './store.ts';

/** A blob that only this log is written into. */
interface Blob {
  readonly day: string;
  /** More than 1: those before it have somebody else's bytes, or nobody knows how many, or are full. */
  readonly number: number;
  readonly made: boolean;
  readonly position: number;
}

/** A block that was or is about to be sent, and has not been answered for. */
interface Pending {
  readonly mark: Mark;
  readonly from: number;
  readonly length: number;
  readonly digest: string;
  readonly after: Reading;
}

export interface LogNotes extends Reading {
  readonly blob: Blob | null;
  readonly pending: Pending | null;
}

export interface Notes {
  /** Account and container; others know nothing of these blobs. */
  readonly target: string;
  readonly logs: Readonly<Record<string, LogNotes>>;
}

export const mostBytes = 256 << 10;
/** Blobs that are somebody else's already: after so many in a row it is something else that is wrong. */
const mostTaken = 20;
/** Of one log in one pass: one that is written faster than it is sent keeps no other from its turn. */
const mostBlocks = 256;

const fresh: LogNotes = { place: null, done: [], blob: null, pending: null };

export interface Shipper {
  /** Sends all there is, and says so block by block. Throws a `Waiting` where it can't. */
  ship(store: LogStore, place: StorePlace, onSent: () => void, signal: AbortSignal): Promise<void>;
}

export interface ShipperOptions {
  readonly logs: readonly LogFile[];
  readonly path: string;
  /** `<cluster>/<data centre>/<node>` */
  readonly folder: () => string;
  readonly now: () => number;
  readonly log: Log;
}

export async function openShipper(options: ShipperOptions): Promise<Shipper> {
  const { path, now, log } = options;
  let notes: Notes = (await readNotes()) ?? { target: '', logs: {} };
  /** Pending blocks that this life has not tried: an earlier one may have. */
  const tried = new Set(Object.keys(notes.logs));
  /** Blobs that were to be made, and nobody said that they were. */
  const asked = new Set<string>();

  async function readNotes(): Promise<Notes | undefined> {
    return readJson<Notes>(path).catch((error: unknown) => {
      log.error('where logs were sent to is not readable: all that is kept of them is sent again', { error });
      return undefined;
    });
  }
  const of = (name: string): LogNotes => notes.logs[name] ?? fresh;
  const note = (name: string, next: LogNotes): LogNotes => {
    notes = { ...notes, logs: { ...notes.logs, [name]: next } };
    return next;
  };
  const keep = (): Promise<void> =>
    writeJson(path, notes, 0o600).catch((error: Error) => {
      throw unwritten(error);
    });

  async function shipLog(
    file: LogFile,
    store: LogStore,
    place: StorePlace,
    onSent: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = file;
    const blobName = ({ day, number }: Blob): string =>
      `${options.folder()}/${day}/${name}${number > 1 ? `.${number}` : ''}`;
    const ask = (request: Promise<Answer>): Promise<Answer> =>
      request.catch((error: Error) => {
        throw failed(place, error);
      });
    let sent = false;
    let taken = 0;
    const first = of(name).blob;

    /** Sends the pending block. If its blob can't be gone on with, the block is thought of anew. */
    async function sendPending(bytes: Buffer): Promise<void> {
      const is = of(name);
      const [blob, pending] = [is.blob!, is.pending!];
      const again = tried.has(name);
      tried.add(name);
      const answer = await ask(store.append(blobName(blob), bytes, blob.position));
      const isThere = answer.status === 412 && answer.code === 'AppendPositionConditionNotMet';
      if (answer.status === 201 || (isThere && again)) {
        const position = blob.position + pending.length;
        note(name, { ...pending.after, blob: { ...blob, position }, pending: null });
        sent = true;
        onSent();
        return;
      }
      const gone = answer.status === 404 && answer.code === 'BlobNotFound';
      // Somebody else writes into it, it was taken away, or it has all the blocks that a blob may have.
      if (!isThere && !gone && answer.code !== 'BlockCountExceedsLimit') throw refused(place, answer);
      log.warn('a log goes on in another blob', { log: name, after: blobName(blob), code: answer.code });
      note(name, { ...is, blob: nextBlob(blob), pending: null });
      // On disk at once: a successor would take the old one's length for its own first try's.
      await keep();
      if (++taken >= mostTaken) throw refused(place, answer);
    }

    for (let blocks = 0; blocks < mostBlocks && !signal.aborted; blocks++) {
      const is = of(name);
      if (is.pending) {
        const bytes = await readAgain(file, is.pending);
        if (bytes && digestOf(bytes) === is.pending.digest) {
          await sendPending(bytes);
          continue;
        }
        // It may have arrived or not, and nobody can ask: this blob's length is not known any more.
        log.warn('a block of a log is gone before it was known to have arrived', { log: name });
        note(name, { ...is, ...is.pending.after, blob: nextBlob(is.blob!), pending: null });
        continue;
      }
      const block = await readBlock(file, is, mostBytes);
      if (!block) break;
      if (block.lost) log.warn('a part of a log was gone before it was sent', { log: name });
      if (block.bytes.length === 0) {
        note(name, { ...is, ...block.after });
        await keep();
        continue;
      }
      const day = new Date(now()).toISOString().slice(0, 10);
      const blob = is.blob?.day === day ? is.blob : { day, number: 1, made: false, position: 0 };
      if (!blob.made) {
        const isRepeat = asked.has(blobName(blob));
        asked.add(blobName(blob));
        const answer = await ask(store.create(blobName(blob)));
        // What an earlier try made is ours, and empty: the first block is added at 0 and nowhere else.
        if (isTaken(answer) && !isRepeat) {
          asked.delete(blobName(blob));
          note(name, { ...is, blob: ++taken < mostTaken ? nextBlob(blob) : first });
          if (taken >= mostTaken) throw refused(place, answer);
          continue;
        }
        if (answer.status !== 201 && !isTaken(answer)) throw refused(place, answer);
        asked.delete(blobName(blob));
      }
      const { bytes, mark, from, after } = block;
      const pending = { mark, from, length: bytes.length, digest: digestOf(bytes), after };
      note(name, { ...is, blob: { ...blob, made: true }, pending });
      tried.delete(name);
      // On disk before it is on its way: a successor that knows nothing of it would send it twice.
      await keep().catch((error: unknown) => {
        note(name, { ...is, blob: { ...blob, made: true } });
        throw error;
      });
      await sendPending(bytes);
    }
    if (sent) await keep();
  }

  return {
    async ship(store, place, onSent, signal) {
      const target = `${place.account}/${place.container}`;
      if (notes.target !== target) {
        const logs = Object.entries(notes.logs).map(
          ([name, { place: at, done }]) => [name, { place: at, done, blob: null, pending: null }] as const,
        );
        notes = { target, logs: Object.fromEntries(logs) };
      }
      for (const file of options.logs) await shipLog(file, store, place, onSent, signal);
    },
  };
}

const nextBlob = ({ day, number }: Blob): Blob => ({ day, number: number + 1, made: false, position: 0 });

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url');

/**
 * There is one of that name. Where a signature permits to create and not to write, that is a 403, and Azurite's is the same as
 * where it doesn't permit to create.
 */
const isTaken = ({ status, code }: Answer): boolean =>
  (status === 409 && code === 'BlobAlreadyExists') ||
  (status === 403 && (code === 'UnauthorizedBlobOverwrite' || code === 'AuthorizationPermissionMismatch'));
