import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/files.ts';
import type { CassandraPaths } from '../paths.ts';
import { keyStore } from './key-store.ts';
import { exporterConfiguration } from './metrics.ts';

export const exporterFile = 'metrics.yaml';
const alias = 'metrics';
const isStore = (name: string): boolean => /^metrics-[0-9a-f]{16}\.p12$/.test(name);

/**
 * The exporter's configuration, and beside the certificates the key store that it names. The store's name says what is in it:
 * one that is there needs no other, and a configuration never meets a store of another key. What is renewed is shown from
 * Cassandra's next start on.
 */
export async function exporterFiles(
  folders: Pick<CassandraPaths, 'certificates'>,
  { key, chain }: { readonly key: string; readonly chain: string },
  owner: number | null,
): Promise<Readonly<Record<string, string>>> {
  const name = `metrics-${createHash('sha256').update(key).update(chain).digest('hex').slice(0, 16)}.p12`;
  const path = join(folders.certificates, name);
  // Java's form asks for a password; made of the key, it needs no place to be kept.
  const password = createHmac('sha256', key).update('the key store of metrics').digest('base64url');
  if (!existsSync(path)) await writeFileAtomic(path, keyStore({ key, chain, alias, password }), 0o600);
  // Each time: whoever wrote it may have died before it was its owner's.
  if (owner !== null) await chown(path, owner, owner);
  const older = (await readdir(folders.certificates)).filter((other) => isStore(other) && other !== name);
  for (const other of older) await rm(join(folders.certificates, other), { force: true });
  // JSON is YAML in which no text is taken for a number.
  return {
    [exporterFile]: JSON.stringify(exporterConfiguration({ keyStore: path, password, alias }), null, 1),
  };
}
