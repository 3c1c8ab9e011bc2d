/** Packets that a machine sends to confirm what the model says, as kinds ask for them. Types only: control has them sent. */
import type { Probe, ProbeResult } from '../exchange/intents/fabric.ts';
import type { Fault } from '../lib/errors.ts';
import type { Comparison } from '../network/probes.ts';

export interface ProbeAsked {
  readonly askedBy: string;
  readonly probe: Probe;
  /** What machines and links are called before whoever asks, by their ids in the fabric. */
  readonly nameOf: (id: string) => string;
}

/**
 * What became of a packet, held against the walls as they were asked for when the question was, and when its result came:
 * `unproved` where the two would have it mean different things. Or why none was sent.
 */
export type Probed = { readonly packet: ProbeResult & Comparison } | { readonly unsent: Fault };

export interface Probes {
  /** Throws TooManyRequests (429) where so many of somebody's packets are under way as may be. */
  check(askedBy: string): void;
  /** Calls back once, later; never if control ends before. A packet is not waited for longer than 30 s. */
  send(asked: ProbeAsked, ended: (probed: Probed) => void): void;
}
