/** `node src/server/az/build.ts FOLDER`: writes the wheel of our az extension there, as control serves it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../version.ts';
import { buildWheel, readExtension } from './wheel.ts';

const folder = process.argv[2] ?? '.';
const wheel = buildWheel(await readExtension(fileURLToPath(new URL('../../..', import.meta.url))), version);
await mkdir(folder, { recursive: true });
await writeFile(join(folder, wheel.file), wheel.content);
process.stdout.write(`${join(folder, wheel.file)} ${wheel.sha256}\n`);
