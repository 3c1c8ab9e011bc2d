/** The role `storage`: Azurite as the blob storage of several accounts. Each is known by its name alone: the gate vouches for that. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceSeed } from '../exchange/intents/service.ts';
import { UserError } from '../lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { ports } from '../network/ports.ts';
import { signToCreateContainers } from '../lib/shared-access.ts';
import { ask, type Asked } from './ask.ts';
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
  const keys = await Promise.all(seed.accounts.map((name) => keysOf(at('keys'), name, seed)));
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
    finish: containerMaker(seed, { address, port: ports.storage, authority: seed.authority }),
  };
}

const rightHoldsMs = 600_000;

/** Makes the containers that shall be there, once in the life of the program: who takes one away wants it so. */
function containerMaker(
  seed: ServiceSeed,
  to: Pick<Asked, 'address' | 'port' | 'authority'>,
): () => Promise<void> {
  const due = new Map(Object.entries(seed.containers ?? {}));
  return async () => {
    for (const [account, container] of due) {
      const name = seed.names.find((one) => one.startsWith(`${account}.`)) ?? account;
      const right = signToCreateContainers(
        { account, key: seed.keys?.[account] ?? '' },
        Date.now() + rightHoldsMs,
      );
      const path = `/${container}?restype=container&${right}`;
      const status = await ask({ ...to, name, path, method: 'PUT' });
      if (status !== 201 && status !== 409)
        throw new Error(`The container ${container} of ${account} can't be made: HTTP ${status}.`);
      due.delete(account);
    }
  };
}

/**
 * As Azurite is told them: control's, and one that the machine made itself where control did not yet make any, so that what was
 * signed with it stays good.
 */
async function keysOf(folder: string, account: string, { keys }: ServiceSeed): Promise<string> {
  const own = (await readFileIfThere(join(folder, account)))?.trim();
  const all = [...new Set([keys?.[account], own])].filter(Boolean);
  if (all.length > 0) return [account, ...all].join(':');
  throw new UserError(
    'BadSeed',
    `There is no key for the account ${account}.`,
    'sallyport down, then sallyport up: control makes it',
  );
}
