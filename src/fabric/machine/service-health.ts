import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { healthHoldsMs, serviceHealthName, ServiceHealth } from '../../exchange/intents/service.ts';

const mostBytes = 4_096;
const mostText = 300;
const unheard: ServiceHealth = { answers: false, error: 'It has not said yet whether it answers.' };
const silent: ServiceHealth = {
  answers: false,
  error: `It has not said for ${healthHoldsMs / 1_000} s whether it answers.`,
};

/**
 * What a service's machine says of itself, read off its disk. The disk is the machine's: no link is followed, no pipe waited
 * for, and what it says is cut and can steer no terminal.
 */
export function readServiceHealth(disk: string, now: number): ServiceHealth {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: number;
  try {
    file = openSync(join(disk, serviceHealthName), flags);
  } catch {
    return unheard;
  }
  try {
    const { size, mtimeMs } = fstatSync(file);
    if (!fstatSync(file).isFile() || size > mostBytes) return unheard;
    if (now - mtimeMs > healthHoldsMs) return silent;
    const said: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!Value.Check(ServiceHealth, said)) return unheard;
    return { answers: said.answers, error: said.error && plain(said.error) };
  } catch {
    return unheard;
  } finally {
    closeSync(file);
  }
}

const plain = (text: string): string => text.slice(0, mostText).replaceAll(/\p{Cc}/gu, '\uFFFD');
