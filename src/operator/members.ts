/**
 * Who belongs to the cluster: pure changes of the state, from intent to members, from members to WireGuard peers.
 */
import type { OperatorIntent } from '../exchange/intents/operator.ts';
import { ulaHost } from '../lib/ip.ts';
import type { Grant, Member, OperatorState, WireguardKeys } from './state.ts';

/** Shaped as network/wireguard.ts takes it. */
export interface Peer {
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
}

export const tunnelAddress = (prefix: string): string => ulaHost(prefix, 0, 1);
export const lastingAddress = (prefix: string, number: number): string => ulaHost(prefix, 1, number);
export const oneTimeAddress = (prefix: string, number: number): string => ulaHost(prefix, 0xe, number);

/** Makes the members those of the intent: a new node, or an old one on another machine, is expected with a new key. */
export function settleMembers(
  state: OperatorState,
  intent: OperatorIntent,
  makeKeys: () => WireguardKeys,
): OperatorState {
  const members: Record<string, Member> = {};
  const numbers = { ...state.numbers };
  let next = Math.max(0, ...Object.values(numbers)) + 1;
  let changed = false;
  for (const dataCenter of intent.dataCenters) {
    for (const node of dataCenter.nodes) {
      const had = state.members[node.name];
      const machine = node.machine ?? '';
      const same =
        had?.machine === machine && had.address === node.address && had.dataCenter === dataCenter.name;
      if (numbers[node.name] === undefined) numbers[node.name] = next++;
      members[node.name] = same
        ? had
        : {
            name: node.name,
            dataCenter: dataCenter.name,
            address: node.address,
            machine,
            oneTime: makeKeys(),
            grant: null,
          };
      if (!same) changed = true;
    }
  }
  if (!changed && Object.keys(state.members).every((name) => name in members)) return state;
  return { ...state, members, numbers };
}

/** Rings of the intent's data centres and no others; a data centre that is new starts at the bottom of the ladder. */
export function settleRings(state: OperatorState, intent: OperatorIntent): OperatorState {
  const names = intent.dataCenters.map((dataCenter) => dataCenter.name);
  const fresh = names.filter((name) => state.rings[name] === undefined);
  const gone = Object.keys(state.rings).filter((name) => !names.includes(name));
  if (fresh.length === 0 && gone.length === 0) return state;
  const rings = Object.fromEntries(Object.entries(state.rings).filter(([name]) => !gone.includes(name)));
  let epoch = state.nextEpoch;
  for (const name of fresh) {
    rings[name] = { epoch: epoch++, rung: 'enrolling', tokens: {}, tokensFor: '', started: {}, attempts: {} };
  }
  return { ...state, rings, nextEpoch: epoch };
}

const withMember = (state: OperatorState, member: Member): OperatorState => ({
  ...state,
  members: { ...state.members, [member.name]: member },
});

export function granted(state: OperatorState, name: string, grant: Grant): OperatorState {
  const member = state.members[name];
  return member ? withMember(state, { ...member, grant }) : state;
}

/** The node was seen with its own key: its one-time key dies, for good. */
export function seenWithOwnKey(state: OperatorState, publicKey: string): OperatorState {
  const member = Object.values(state.members).find(
    (one) => one.grant?.publicKey === publicKey && one.oneTime !== null,
  );
  return member ? withMember(state, { ...member, oneTime: null }) : state;
}

/** All peers of the tunnel. A node between grant and first handshake has two: it may have missed the answer. */
export function peersOf(state: OperatorState, prefix: string): readonly Peer[] {
  return Object.values(state.members).flatMap((member) => {
    const number = state.numbers[member.name]!;
    return [
      ...(member.oneTime
        ? [{ publicKey: member.oneTime.publicKey, allowedIps: [`${oneTimeAddress(prefix, number)}/128`] }]
        : []),
      ...(member.grant
        ? [{ publicKey: member.grant.publicKey, allowedIps: [`${lastingAddress(prefix, number)}/128`] }]
        : []),
    ];
  });
}

/** The member whose one-time (or lasting) tunnel address this is. WireGuard vouches for a source address. */
export function memberAt(
  state: OperatorState,
  prefix: string,
  address: string,
  which: 'oneTime' | 'lasting',
): Member | undefined {
  const at = which === 'oneTime' ? oneTimeAddress : lastingAddress;
  const plain = canonical(address);
  return Object.values(state.members).find(
    (member) => canonical(at(prefix, state.numbers[member.name]!)) === plain,
  );
}

/** One spelling per IPv6 address: the kernel drops leading zeros of a group that a prefix may have been written with. */
function canonical(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname;
}
