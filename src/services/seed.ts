/**
 * services/ runs what stands behind the gate: storage and monitoring, each in a machine of its own. It must never dial anybody, and
 * it serves what control seeded and nothing else.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { ServiceSeed, serviceSeedName, type ServiceKind } from '../exchange/intents/service.ts';
import { UserError } from '../lib/errors.ts';
import { readJson } from '../lib/files.ts';

/** The number of the newest seed on the disk; 0: there is none. */
export async function newestSeed(disk: string, kind: ServiceKind): Promise<number> {
  return Math.max(0, ...(await seedNumbers(disk, kind)));
}

/** Reads the newest seed and takes older ones away: a key that was replaced is kept by nobody. */
export async function readSeed(disk: string, kind: ServiceKind): Promise<ServiceSeed> {
  const next = 'sallyport down, then sallyport up: control seeds the machine when it is made';
  const number = await newestSeed(disk, kind);
  if (number === 0)
    throw new UserError(
      'NoSeed',
      `There is no ${serviceSeedName(kind, 1)}: control has not said what to serve.`,
      next,
    );
  const path = join(disk, serviceSeedName(kind, number));
  const seed = await readJson<unknown>(path).catch((error: unknown) => {
    throw new UserError('BadSeed', `${path} is not JSON.`, next, error);
  });
  if (!Value.Check(ServiceSeed, seed)) {
    const [flaw] = Value.Errors(ServiceSeed, seed);
    throw new UserError('BadSeed', `${path} is malformed: ${flaw?.instancePath} ${flaw?.message}.`, next);
  }
  for (const older of await seedNumbers(disk, kind))
    if (older < number) await rm(join(disk, serviceSeedName(kind, older)), { force: true });
  return seed;
}

async function seedNumbers(disk: string, kind: ServiceKind): Promise<readonly number[]> {
  return (await readdir(disk)).flatMap((name) => {
    const number = new RegExp(`^${kind}-([1-9][0-9]{0,8})\\.json$`).exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}
