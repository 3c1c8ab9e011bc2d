/** The worlds of one run: drawn from a seed that is printed, and that the environment can give again. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import type { FabricIntent } from '../../../src/exchange/intents/fabric.ts';
import { worlds, type World } from './worlds.ts';

const name = 'WALLS_SEED';
const numRuns = 24;
const counts = { packets: 70, later: 50, asked: 250, questions: 120 };

export function drawn(): { readonly seed: number; readonly worlds: readonly World[] } {
  const seed = Number(process.env[name] ?? randomInt(1, 2 ** 31));
  if (!Number.isInteger(seed))
    throw new Error(`${name}=${process.env[name]} is no seed: give a whole number.`);
  // Values without a bias towards small ones: each world is as wide as any.
  return { seed, worlds: fc.sample(worlds(counts), { seed, numRuns }) };
}

/** What is needed to see a disagreement again, and to understand it. */
export const told = (seed: number, world: number, probe: object, intent: FabricIntent): string =>
  [
    `world ${world} of seed ${seed} (again: ${name}=${seed}), ${JSON.stringify(probe)}`,
    ...intent.networks.map((network) => JSON.stringify(network)),
    ...intent.machines.map(({ id, address, securityGroup, allow, applicationSecurityGroups }) =>
      JSON.stringify({ id, address, securityGroup, allow, applicationSecurityGroups }),
    ),
    ...intent.links.map((link) => JSON.stringify(link)),
    ...(intent.securityGroups ?? []).flatMap(({ rules }) => rules.map((rule) => JSON.stringify(rule))),
  ].join('\n');
