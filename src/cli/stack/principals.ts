import { randomBytes, randomUUID } from 'node:crypto';
import { access, chmod, lchown, lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writeJson } from '../../lib/files.ts';
import { controlUser } from '../../server/launch.ts';
import { principalFile, type Principal, type PrincipalName } from '../arm/session.ts';
import type { Home } from '../home.ts';

/**
 * The first two principals are made here, so that control never has to hand a secret out: it reads bootstrap.json at its
 * first start, keeps hashes, and deletes the file.
 */
export async function prepareControl(home: Home, root: boolean): Promise<void> {
  // Control is led in as a root without the right to pass closed folders. What is in it is for control's user alone, the doors
  // above all: who speaks with the fabric's socket is handed the nodes' one-time keys.
  for (const [folder, mode] of [
    [home.control, 0o711],
    [join(home.control, 'doors'), 0o700],
  ] as const) {
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode);
  }
  const principals = await firstPrincipals(home);
  const path = join(home.control, 'bootstrap.json');
  if (!(await exists(join(home.control, 'config.json'))) && !(await exists(path))) {
    const { tenantId, ...provider } = principals.provider;
    const { tenantId: _, ...customer } = principals.customer;
    await writeJson(path, { tenantId, provider, customer });
  }
  if (root) await giveTo(home.control, controlUser);
}

async function firstPrincipals(home: Home): Promise<Readonly<Record<PrincipalName, Principal>>> {
  const provider =
    (await readJson<Principal>(principalFile(home, 'provider'))) ?? fresh('Provider', randomUUID());
  const customer =
    (await readJson<Principal>(principalFile(home, 'customer'))) ?? fresh('Customer', provider.tenantId);
  await writeJson(principalFile(home, 'provider'), provider);
  await writeJson(principalFile(home, 'customer'), customer);
  return { provider, customer };
}

const fresh = (displayName: string, tenantId: string): Principal => ({
  tenantId,
  subscriptionId: randomUUID(),
  clientId: randomUUID(),
  secret: randomBytes(32).toString('base64url'),
  displayName,
});

/** Gives a folder and all in it to a user; what is theirs already is left as it is, links are not followed. */
async function giveTo(path: string, user: number): Promise<void> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return;
  if (stat.uid !== user || stat.gid !== user) await lchown(path, user, user);
  if (stat.isDirectory()) for (const name of await readdir(path)) await giveTo(join(path, name), user);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
