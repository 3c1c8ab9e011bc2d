import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Tools {
  readonly node: string;
  readonly javaHome: string;
  readonly wireguard: string | null;
  readonly cassandra: string;
}

/** What set-up found or built; undefined before it ran. */
export function findTools(): Tools | undefined {
  const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  const path = join(process.env['SALLYPORT_HOME'] ?? join(data, 'sallyport'), 'tools', 'tools.json');
  if (!existsSync(path)) return undefined;
  const tools = JSON.parse(readFileSync(path, 'utf8')) as Tools;
  return readdirSync(tools.cassandra).some((name) => name.startsWith('jolokia-agent-jvm'))
    ? tools
    : undefined;
}
