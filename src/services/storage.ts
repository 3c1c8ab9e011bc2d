/** The role `storage`: Azurite as the blob storage of several accounts. Each is known by its name alone: the gate vouches for that. */
import { randomBytes } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceSeed } from '../exchange/intents/service.ts';
import { UserError } from '../lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { ports } from '../network/ports.ts';
import { keepService, type Program } from './keep.ts';

const megabytes = 256;

export const runStorage = (context: RoleContext): Promise<void> =>
  keepService(
    {
      kind: 'storage',
      port: ports.storage,
      prepare: (disk, seed, address) =>
        prepareStorage(disk, seed, address, context.env['SALLYPORT_TOOLS'] ?? '/opt/tools'),
    },
    context,
  );

async function prepareStorage(
  disk: string,
  seed: ServiceSeed,
  address: string,
  tools: string,
): Promise<Program> {
  const program = join(tools, 'azurite/node_modules/azurite/dist/src/blob/main.js');
  await access(program).catch((error: unknown) => {
    throw new UserError(
      'NoAzurite',
      'Azurite is not installed here, so there is no storage.',
      'Run: sallyport services install, sallyport down, sallyport up',
      error,
    );
  });
  const folder = join(disk, 'storage');
  const at = (name: string): string => join(folder, name);
  await mkdir(at('blobs'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(at('certificate.pem'), seed.certificate);
  await writeFileAtomic(at('key.pem'), seed.privateKey);
  const keys = await Promise.all(
    seed.accounts.map(async (name) => `${name}:${await keyOf(at('keys'), name)}`),
  );
  return {
    command: [
      ...([process.execPath, `--max-old-space-size=${megabytes}`, program] as const),
      ...['--blobHost', address, '--blobPort', String(ports.storage), '--location', at('blobs')],
      ...['--cert', at('certificate.pem'), '--key', at('key.pem')],
      // Its log of requests holds queries, and in them signatures; newer clients than it knows are let try.
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    ],
    env: { AZURITE_ACCOUNTS: keys.join(';') },
    path: '/',
    // Without a signature it refuses; whatever it says, it is there.
    serves: (status) => status > 0 && status < 500,
  };
}

/** Made once, of 64 random bytes as Azure's are, and kept on the machine's own disk. */
async function keyOf(folder: string, account: string): Promise<string> {
  const path = join(folder, account);
  const had = (await readFileIfThere(path))?.trim();
  if (had) return had;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = randomBytes(64).toString('base64');
  await writeFileAtomic(path, `${key}\n`);
  return key;
}
