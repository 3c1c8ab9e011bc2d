/**
 * What the policies of the provider's own machines have in common: one table that drops in every direction what it doesn't name,
 * put in place by one transaction, and put back where somebody took it away.
 */
import type { Clock } from '../lib/clock.ts';
import { exec, execStatus } from '../lib/exec.ts';

/** Judged by direction, not by state alone: what this machine didn't start is judged packet by packet. */
export const answers = 'ct direction reply ct state established accept';
/** ICMP and ICMPv6 by number: a machine has no /etc/protocols to look the names up in. */
export const errors = 'meta l4proto { 1, 58 } ct state related accept';

export interface MachineDoor {
  readonly table: string;
  /** Where what comes in is led to, before it is judged. */
  readonly prerouting?: readonly string[];
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/** The whole table as nft reads it. `table` before `delete` makes the first time the same as every other. */
export function renderMachineDoor({ table, prerouting, input, output }: MachineDoor): string {
  const chain = (name: string, hook: string, rules: readonly string[]): string =>
    [`  chain ${name} {`, `    type ${hook}`, ...rules.map((rule) => `    ${rule}`), '  }'].join('\n');
  const filter = (name: string, rules: readonly string[]): string =>
    chain(name, `filter hook ${name} priority filter; policy drop;`, [...rules, 'counter']);
  const chains = [
    ...(prerouting
      ? [chain('prerouting', 'nat hook prerouting priority dstnat; policy accept;', prerouting)]
      : []),
    filter('input', ['iifname "lo" accept', ...input]),
    filter('forward', []),
    filter('output', ['oifname "lo" accept', ...output]),
  ];
  return `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${chains.join('\n')}\n}\n`;
}

export interface MachineDoorKeeper {
  /** Puts a plan in force: where it changed, and where its table is gone. */
  ensure(plan: string): Promise<void>;
}

const checkEveryMs = 10_000;

export function createMachineDoorKeeper(table: string, clock: Clock): MachineDoorKeeper {
  let inForce: string | undefined;
  let checkedAt = 0;
  return {
    async ensure(plan) {
      if (plan === inForce) {
        if (clock.now() - checkedAt < checkEveryMs) return;
        checkedAt = clock.now();
        if (await stands(table)) return;
      }
      await exec('nft', ['-f', '-'], { input: plan });
      inForce = plan;
      checkedAt = clock.now();
    },
  };
}

/** Whether the table is there at all: somebody may have flushed the rules. */
async function stands(table: string): Promise<boolean> {
  const said = await execStatus('nft', ['list', 'table', 'inet', table]);
  return said.exitCode === 0 && said.stdout.includes('policy drop');
}
