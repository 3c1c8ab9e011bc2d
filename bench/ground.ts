/** What every benchmark stands on: the tools that set-up has found, and a word about how busy the machine is. */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { Tools } from '../src/cli/setup/tools.ts';
import { readJson } from '../src/lib/files.ts';
import { realHome } from '../test/harness/tools.ts';

/** Above this somebody else is at work, and absolute figures say little. */
const quiet = 0.5;

export interface BenchTools extends Tools {
  /** Folder above `cassandra/lib`. */
  readonly folder: string;
}

export async function benchTools(): Promise<BenchTools> {
  const folder = join(realHome(), 'tools');
  const tools = await readJson<Tools>(join(folder, 'tools.json'));
  if (!tools) {
    process.stderr.write(
      `ERROR: ${folder} has no tools: nothing has been set up here yet.\nNext: ./sallyport up && ./sallyport down, then run the benchmark again.\n`,
    );
    process.exit(2);
  }
  const load = loadavg()[0]!;
  process.stderr.write(
    `load ${load.toFixed(2)} at the start${load > quiet ? ': the machine is busy, so repeat this when it is quiet' : ''}\n`,
  );
  // By where they lie, not by what tools.json says of it: the folder may have been moved or copied.
  const built = join(folder, 'wireguard/wireguard-go');
  return {
    ...tools,
    folder,
    cassandra: join(folder, 'cassandra/lib'),
    wireguard: tools.wireguard !== null && existsSync(built) ? built : tools.wireguard,
  };
}
