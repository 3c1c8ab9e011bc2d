/**
 * Nodes that left the intent. One that is connected hears a last word, `retired`, for a bounded time; after it, and for
 * any other at once, its peer and its certificates are worth nothing.
 */
import type { NodeIntent } from '../exchange/intents/node.ts';
import { revise, type Revised } from '../exchange/revision.ts';
import { lastingAddress, type Peer } from './members.ts';
import { retiredIntent } from './node-intent.ts';
import { hasLeft } from './ring-view.ts';
import type { Member, OperatorState } from './state.ts';

export interface Leaver {
  readonly member: Member;
  readonly number: number;
  readonly intent: Revised<NodeIntent>;
  readonly until: number;
}

export const lastWordMs = 10_000;

export interface Leavers {
  /** Looks at who of `before` isn't in `after`, and keeps those that can still hear: their names. */
  note(
    before: OperatorState,
    after: OperatorState,
    last: (name: string) => Revised<NodeIntent> | undefined,
    now: number,
  ): readonly string[];
  get(name: string): Leaver | undefined;
  /** It has done it, or its time is up. */
  drop(name: string): void;
  expire(now: number): void;
  peers(prefix: string): readonly Peer[];
  names(): readonly string[];
}

/**
 * Nodes that are still in the intent and have left the ring: once they have heard their last word, or the time for it is
 * up, their keys are worth nothing; one that never enrolled can't any more.
 */
export function withoutTheirKeys(
  state: OperatorState,
  hasHeard: (name: string) => boolean,
  now: number,
): OperatorState {
  const gone = Object.values(state.members).filter((member) => {
    if (!hasLeft(state, member.dataCenter, member.name) || (!member.grant && !member.oneTime)) return false;
    const { at } = state.rings[member.dataCenter]!.left![member.name]!;
    return !member.grant || hasHeard(member.name) || now - at >= lastWordMs;
  });
  if (gone.length === 0) return state;
  const changed = gone.map((member) => [member.name, { ...member, oneTime: null, grant: null }] as const);
  return { ...state, members: { ...state.members, ...Object.fromEntries(changed) } };
}

export function createLeavers(): Leavers {
  const leaving = new Map<string, Leaver>();
  return {
    note(before, after, last, now) {
      const left: string[] = [];
      for (const [name, member] of Object.entries(before.members)) {
        if (name in after.members) continue;
        const intent = last(name);
        if (!member.grant || !intent) continue;
        left.push(name);
        leaving.set(name, {
          member,
          number: before.numbers[name]!,
          intent: revise(retiredIntent(intent.document)),
          until: now + lastWordMs,
        });
      }
      // Whoever is back in the intent is a new node, and the old one has no more to say.
      for (const name of leaving.keys()) if (name in after.members) leaving.delete(name);
      return left;
    },
    get: (name) => leaving.get(name),
    drop: (name) => void leaving.delete(name),
    expire(now) {
      for (const [name, leaver] of leaving) if (now >= leaver.until) leaving.delete(name);
    },
    peers: (prefix) =>
      [...leaving.values()].map(({ member, number }) => ({
        publicKey: member.grant!.publicKey,
        allowedIps: [`${lastingAddress(prefix, number)}/128`],
      })),
    names: () => [...leaving.keys()],
  };
}
