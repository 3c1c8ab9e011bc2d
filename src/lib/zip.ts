import { crc32 } from 'node:zlib';

export interface ZipEntry {
  /** Slashes between folders, none at the beginning. */
  readonly path: string;
  readonly content: Buffer;
}

/** 1980-01-01 00:00, the earliest that the form can say. */
const date = (1 << 5) | 1;
const mode = 0o100644 * 2 ** 16;

/**
 * A zip archive without compression: the same entries give the same bytes, whatever the machine, the day and the library.
 * For a handful of small files: no entry may be 4 GiB or more.
 */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, content } of entries) {
    const name = Buffer.from(path);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version that can unpack it
    common.writeUInt16LE(0x0800, 2); // names are UTF-8
    common.writeUInt16LE(date, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(mode, 6);
    rest.writeUInt32LE(offset, 10);
    // Made by a Unix: the mode is read as one.
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}
