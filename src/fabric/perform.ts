/** One piece of work in its turn: what it needs to know of the world is looked up when the turn comes, not when it was asked for. */
import type { FabricIntent, FabricWork, Probe, ProbeResult } from '../exchange/intents/fabric.ts';
import { UserError } from '../lib/errors.ts';
import type { Turns } from '../lib/turns.ts';
import { shallArrive } from '../network/probes.ts';
import { wallsOfIntent } from '../network/walls.ts';

type Proof = Extract<FabricWork, { kind: 'verify' }>;

export interface PerformOptions {
  readonly inTurn: Turns;
  /** The newest intent. */
  readonly asked: () => FabricIntent | undefined;
  /** The intent that the last whole pass was for. */
  readonly inPlace: () => FabricIntent | undefined;
  readonly send: (
    document: FabricIntent,
    probes: readonly Probe[],
    shall: (probe: Probe) => readonly string[],
  ) => Promise<readonly ProbeResult[]>;
  /** Has the recorders put up, for as long as `work` runs. */
  readonly recorded: <T>(work: () => Promise<T>) => Promise<T>;
  readonly prove: (document: FabricIntent, item: Proof) => Promise<unknown>;
}

/**
 * Each probe is sent alone: whose machine sends one of several could make packets that are taken for the others'.
 * Throws where nobody waits for the work any more, or where what it was asked for with could not be put in place.
 */
export function performer(options: PerformOptions): (item: FabricWork) => Promise<unknown> {
  const find = ({ id }: FabricWork) => {
    const named = (document: FabricIntent | undefined) => document?.work.find((one) => one.id === id);
    if (!named(options.asked()))
      throw new UserError(
        'NotAskedAnyMore',
        'Nobody waited for it any more when its turn came.',
        'Ask again.',
      );
    const document = options.inPlace();
    const item = named(document);
    if (document && item) return { document, item };
    throw new UserError(
      'NotInPlace',
      'What is asked for could not be put in place, so nothing was tried. `sallyport status` says why. Then ask again.',
      'sallyport status',
    );
  };
  return (asked) =>
    options.inTurn(async () => {
      const { document, item } = find(asked);
      if (item.kind === 'probe') {
        const walls = wallsOfIntent(document);
        const [result] = await options.send(document, [item], (one) => shallArrive(walls, one));
        return result;
      }
      return options.recorded(() => {
        // The pass that put the recorders up may have been for a newer intent.
        const now = find(item);
        return options.prove(now.document, now.item as Proof);
      });
    });
}
