import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readFileIfThere } from '../lib/files.ts';

/** What the fabric saw while it tried every door: one file a run, bounded. */
export interface Evidence {
  save(id: string, body: Readable): Promise<void>;
  /** The JSON that was saved; undefined while there is none. */
  read(id: string): Promise<unknown>;
  forget(id: string): Promise<void>;
}

const largest = 16 << 20;

/** `id` is checked by whoever calls: it becomes a file's name. */
export function evidenceIn(folder: string): Evidence {
  const at = (id: string): string => join(folder, `${id}.json`);
  return {
    async save(id, body) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const draft = `${at(id)}.draft`;
      try {
        await pipeline(body, bounded(), createWriteStream(draft, { mode: 0o600 }));
        await rename(draft, at(id));
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    async read(id) {
      const text = await readFileIfThere(at(id));
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    forget: (id) => rm(at(id), { force: true }),
  };
}

function bounded(): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > largest) done(new Error(`Evidence of more than ${largest} bytes is not kept.`));
      else done(null, chunk);
    },
  });
}
