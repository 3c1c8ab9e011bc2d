/**
 * What an operator must not forget: its keys, its members, how far each ring is. One document on its disk, written
 * before anything follows from it.
 *
 * operator/ keeps one cluster: keys, peers, certificates, tokens, seeds and the ladder of a data centre. It must never
 * reach anything but control, the gate and, inside the tunnel, its own nodes; and it never decides what shall be.
 */
import { join } from 'node:path';
import type { Fault } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import { createTurns } from '../lib/turns.ts';

export interface WireguardKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What a node got when it enrolled; the same request gets the same answer while its one-time key lives. */
export interface Grant {
  /** The node's own WireGuard public key. */
  readonly publicKey: string;
  /** The keys that the certificates were asked for; another set is another asker. */
  readonly keyDigests: { readonly exchange: string; readonly internode: string; readonly client: string };
  readonly certificates: { readonly exchange: string; readonly internode: string; readonly client: string };
  /** SHA-256 of the exchange certificate: a certificate that was good once is good for this grant only. */
  readonly exchangeFingerprint: string;
  readonly at: string;
}

/** One node of the intent. Its number is in `numbers`. */
export interface Member {
  readonly name: string;
  readonly dataCenter: string;
  readonly address: string;
  /** What it was expected for; another value in the intent is another machine. */
  readonly machine: string;
  /** Lives until the node was seen with its own key. */
  readonly oneTime: WireguardKeys | null;
  readonly grant: Grant | null;
}

/** The rungs of a new data centre, in order. `transport` to `opening` are `securing` to the world. */
export const rungs = ['enrolling', 'starting', 'transport', 'roles', 'checking', 'opening', 'ready'] as const;
export type Rung = (typeof rungs)[number];

/** A piece of one-shot work that may need another try: each try has an id of its own. */
export interface Attempt {
  readonly number: number;
  /** When this try was first seen to have failed, in milliseconds; null while it hasn't. */
  readonly failedAt: number | null;
  /** Why the last try failed; kept while the next one runs, so that what is shown doesn't flap. */
  readonly fault: Fault | null;
}

/** One node that joins or leaves a ring that is ready. moving: its data is; checking, opening: a new one's CQL. */
export interface RingChange {
  readonly kind: 'join' | 'leave';
  readonly node: string;
  readonly machine: string;
  readonly stage: 'moving' | 'checking' | 'opening';
}

/** Dropping what has become other nodes' data since they joined. */
export interface Cleanup {
  /** Who has still to do it, in turn. */
  readonly due: readonly string[];
  readonly done: readonly string[];
  /** The one that is asked to now. */
  readonly at: string | null;
  /** How often one was asked, over all times: work ids bear it. */
  readonly asked: number;
  /** In a row. */
  readonly failures: number;
  /** Milliseconds: nobody is asked before. */
  readonly notBefore: number;
  /** Why the last try of each failed. */
  readonly failed: Readonly<Record<string, Fault>>;
}

export interface Ring {
  /** Never given twice: work ids bear it, so that a data centre made again under its name shares none. */
  readonly epoch: number;
  readonly rung: Rung;
  /** Node name → preset tokens, made for exactly `tokensFor`. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  readonly tokensFor: string;
  /** Node → machine that were started together; whoever comes later isn't one of them. */
  readonly started: Readonly<Record<string, string>>;
  readonly attempts: Readonly<Record<string, Attempt>>;
  /** The change of its size that is under way; in all rings of a cluster there is one at a time. */
  readonly change?: RingChange | null;
  /** How many changes were begun: work ids bear it. */
  readonly changes?: number;
  /** Nodes of the intent that have left, for good: their machine, and when (milliseconds). */
  readonly left?: Readonly<Record<string, { readonly machine: string; readonly at: number }>>;
  /** Node → machine that went without having left: the ring still counts on it. */
  readonly abandoned?: Readonly<Record<string, string>>;
  /** It was deallocated, and has not come back whole since. */
  readonly stopped?: boolean;
  /** After the last node that joined; left out: none ever did. */
  readonly cleanup?: Cleanup;
}

export interface OperatorState {
  readonly version: 1;
  readonly wireguard: WireguardKeys;
  /** Node name → its number in the tunnel, for good: an address never belongs to two nodes. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly nextEpoch: number;
  readonly members: Readonly<Record<string, Member>>;
  readonly rings: Readonly<Record<string, Ring>>;
}

export interface Book {
  read(): OperatorState;
  /** Changes run one after the other on the newest state; the new one is on disk before the promise resolves. */
  write(change: (state: OperatorState) => OperatorState): Promise<OperatorState>;
}

export const paths = (disk: string) => ({
  join: join(disk, 'operator.json'),
  state: join(disk, 'operator', 'state.json'),
  authorities: join(disk, 'operator', 'authorities.json'),
  control: join(disk, 'operator', 'control.json'),
  intent: join(disk, 'operator', 'intent.json'),
  scratch: join(disk, 'operator', 'scratch'),
  metrics: join(disk, 'operator', 'metrics'),
});

export const newState = (wireguard: WireguardKeys): OperatorState => ({
  version: 1,
  wireguard,
  numbers: {},
  nextEpoch: 1,
  members: {},
  rings: {},
});

export async function openBook(path: string, makeKeys: () => WireguardKeys): Promise<Book> {
  let state = await readJson<OperatorState>(path);
  if (!state) {
    state = newState(makeKeys());
    await writeJson(path, state);
  }
  let current = state;
  const inTurn = createTurns();
  return {
    read: () => current,
    write(change) {
      return inTurn(async () => {
        const next = change(current);
        if (next !== current) await writeJson(path, next);
        current = next;
        return next;
      });
    },
  };
}
