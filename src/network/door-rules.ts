import { exec, execStatus } from '../lib/exec.ts';
import { countRules, doorTable, renderDoor, type DoorHooks, type DoorPolicy } from './door.ts';

/** The rules in force in this machine, as text without counters and handles; undefined where there are none. */
export async function readDoor(): Promise<string | undefined> {
  const said = await execStatus('nft', ['-s', 'list', 'ruleset'], { timeoutMs: 10_000 });
  if (said.exitCode !== 0) throw new Error(`nft can't list the rules: ${said.stderr.trim()}`);
  const tables = said.stdout
    .split(/^(?=table )/m)
    .filter((table) => new RegExp(`^table (inet|netdev) ${doorTable} `).test(table))
    .map((table) => table.trim());
  return tables.some((table) => table.startsWith('table inet')) ? tables.join('\n') : undefined;
}

export interface DoorInForce {
  /** What {@link readDoor} says while nobody has touched it. */
  readonly listing: string;
  /** What this kernel can't do, in words. */
  readonly limits: readonly string[];
}

/** Puts a policy in force in one transaction and reads it back. A kernel without an egress hook gets all but that. */
export async function applyDoor(policy: DoorPolicy, hooks: DoorHooks): Promise<DoorInForce> {
  let script = renderDoor(policy, hooks);
  let limits: readonly string[] = [];
  try {
    await exec('nft', ['-f', '-'], { input: script, timeoutMs: 10_000 });
  } catch (error) {
    if (!hooks.nic && !hooks.tunnel) throw error;
    script = renderDoor(policy, { nic: false, tunnel: false });
    await exec('nft', ['-f', '-'], { input: script, timeoutMs: 10_000 });
    limits = [
      'no netdev egress hook (needs Linux 5.16 and nftables 1.0.1): root could send frames by AF_PACKET as far as the platform policy',
    ];
  }
  const listing = (await readDoor()) ?? '';
  const rules = listing.split('\n').filter((line) => / (accept|drop) comment "/.test(line)).length;
  if (rules !== countRules(script)) {
    throw new Error(`${countRules(script)} rules were put in force, ${rules} are read back.`);
  }
  return { listing, limits };
}
