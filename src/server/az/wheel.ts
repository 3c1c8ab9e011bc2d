import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zip, type ZipEntry } from '../../lib/zip.ts';

/** Our az extension, as pip and `az extension add` take it. */
export interface Wheel {
  /** `sallyport-1.2.3-py3-none-any.whl`: az reads name and version from it. */
  readonly file: string;
  readonly content: Buffer;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
}

const name = 'sallyport';
const package_ = 'azext_sallyport';

/** Reads the extension's sources, below az/ of the program's folder. */
export async function readExtension(programRoot: string): Promise<readonly ZipEntry[]> {
  const folder = join(programRoot, 'az', package_);
  const files = (await readdir(folder)).filter((file) => /\.(py|json)$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => ({ path: `${package_}/${file}`, content: await readFile(join(folder, file)) })),
  );
}

/** The same sources and version give the same bytes. */
export function buildWheel(sources: readonly ZipEntry[], version: string): Wheel {
  const about = `${name}-${version}.dist-info`;
  const text = (file: string, lines: readonly string[]): ZipEntry => ({
    path: `${about}/${file}`,
    content: Buffer.from(`${lines.join('\n')}\n`),
  });
  const entries = [
    ...sources,
    text('METADATA', [
      'Metadata-Version: 2.1',
      `Name: ${name}`,
      `Version: ${version}`,
      'Summary: Managed Apache Cassandra behind a single door: the options that az itself lacks',
      'License: Apache-2.0',
      'Requires-Python: >=3.10',
    ]),
    text('WHEEL', ['Wheel-Version: 1.0', `Generator: ${name}`, 'Root-Is-Purelib: true', 'Tag: py3-none-any']),
    text('top_level.txt', [package_]),
  ];
  const sums = entries.map(({ path, content }) => {
    const sum = createHash('sha256').update(content).digest('base64url');
    return `${path},sha256=${sum},${content.length}`;
  });
  const content = zip([...entries, text('RECORD', [...sums, `${about}/RECORD,,`])]);
  return {
    file: `${name}-${version}-py3-none-any.whl`,
    content,
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}
