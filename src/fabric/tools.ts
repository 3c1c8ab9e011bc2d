import { access, constants, readdir, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { readJson } from '../lib/files.ts';

/** What set-up found or fetched; paths on the host. */
export interface Tools {
  readonly node: string;
  readonly javaHome: string;
  /** The userspace WireGuard, where it was built; null: the system's, or the kernel's. */
  readonly wireguard: string | null;
  /** A folder of jars. */
  readonly cassandra: string;
  /** A folder with Azurite; null where it was not asked for. */
  readonly azurite: string | null;
}

export async function readTools(path: string): Promise<Tools> {
  const next = 'Run `./sallyport up`, which sets up what is missing.';
  const tools = await readJson<Partial<Tools>>(path).catch((error: unknown) => {
    throw new UserError(
      'ToolsUnreadable',
      `The list of tools, ${path}, can't be read: ${String(error)}.`,
      next,
      error,
    );
  });
  if (!tools)
    throw new UserError(
      'ToolsMissing',
      `There is no list of tools at ${path}: nothing was set up yet.`,
      next,
    );
  for (const name of ['node', 'javaHome', 'cassandra'] as const) {
    if (typeof tools[name] !== 'string')
      throw new UserError('ToolsUnreadable', `The list of tools, ${path}, has no '${name}'.`, next);
    await access(tools[name], constants.R_OK).catch((error: unknown) => {
      throw new UserError('ToolMissing', `The tool '${name}' is no longer at ${tools[name]}.`, next, error);
    });
  }
  return {
    node: tools.node!,
    javaHome: tools.javaHome!,
    cassandra: tools.cassandra!,
    wireguard: tools.wireguard ?? null,
    azurite: tools.azurite ?? null,
  };
}

/** Folders of /etc that a JVM's own configuration links to (Debian keeps it there). */
export async function javaConfiguration(javaHome: string): Promise<readonly string[]> {
  const names = await readdir(join(javaHome, 'conf')).catch((): string[] => []);
  const folders = new Set<string>();
  for (const name of names) {
    const target = await readlink(join(javaHome, 'conf', name)).catch(() => '');
    const folder = dirname(target);
    if (folder.startsWith('/etc/')) folders.add(folder.split('/').slice(0, 3).join('/'));
  }
  return [...folders];
}
