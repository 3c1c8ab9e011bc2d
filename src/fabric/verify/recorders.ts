import { faultOf } from '../../lib/errors.ts';
import { since, nameOf, type Sighting } from './judge.ts';
import type { Recorder, Seen, VerifyWorld, WorldMachine } from './world.ts';

/** What every recorder says at one moment; a text where it could not be read. */
export type Reading = ReadonlyMap<Recorder, readonly Seen[] | string>;

export async function readAll(world: VerifyWorld): Promise<Reading> {
  const entries = world.recorders.map(async (recorder): Promise<[Recorder, readonly Seen[] | string]> => {
    try {
      return [recorder, await recorder.read()];
    } catch (error) {
      return [recorder, faultOf(error).message];
    }
  });
  return new Map(await Promise.all(entries));
}

export function sightingsBetween(before: Reading, after: Reading): readonly Sighting[] {
  return [...after].flatMap(([{ place, of }, now]) => {
    const was = [...before].find(([recorder]) => recorder.place === place && recorder.of === of)?.[1];
    if (typeof now === 'string') return [];
    return [{ place, of, seen: since(typeof was === 'string' || !was ? [] : was, now) }];
  });
}

/** Why silence can't be believed between two readings: recorders that are missing, or could not be read. */
export function blindness(
  machine: WorldMachine,
  readings: readonly Reading[],
  link: string | undefined,
): readonly string[] {
  const places = [...(readings[0] ?? new Map<Recorder, never>()).keys()];
  const needed: { readonly place: Recorder['place']; readonly of: string | null }[] = [
    { place: 'nic-out', of: machine.id },
    { place: 'internet', of: null },
    ...(link === undefined ? [] : [{ place: 'link' as const, of: link }]),
  ];
  const missing = needed.filter(
    (n) => !places.some((r) => r.place === n.place && (n.of === null || r.of === n.of)),
  );
  const unread = readings.flatMap((reading) =>
    [...reading].flatMap(([recorder, said]) =>
      typeof said === 'string' ? [`the recorder ${nameOf(recorder)} can't be read: ${said}`] : [],
    ),
  );
  return [...missing.map((n) => `no recorder stands ${nameOf(n)}`), ...new Set(unread)];
}

/** Recorders that must have seen something by now, if they see at all. */
export function vouched(
  reading: Reading,
  needed: (recorder: Recorder) => boolean,
): readonly { readonly recorder: Recorder; readonly packets: number }[] {
  return [...reading].flatMap(([recorder, said]) =>
    needed(recorder)
      ? [
          {
            recorder,
            packets: typeof said === 'string' ? 0 : said.reduce((sum, seen) => sum + seen.packets, 0),
          },
        ]
      : [],
  );
}
