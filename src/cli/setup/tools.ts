import { join } from 'node:path';
import { readJson } from '../../lib/files.ts';
import type { Home } from '../home.ts';

/** What set-up found or made: tools/tools.json, which the fabric reads as well. */
export interface Tools {
  readonly node: string;
  readonly javaHome: string;
  /** A userspace WireGuard; null where the kernel has it. */
  readonly wireguard: string | null;
  /** The folder with the jars. */
  readonly cassandra: string;
  /** The folder with Azurite; null where nobody asked for it. */
  readonly azurite: string | null;
}

export const toolsFile = (home: Home): string => join(home.tools, 'tools.json');
export const readTools = (home: Home): Promise<Tools | undefined> => readJson<Tools>(toolsFile(home));
