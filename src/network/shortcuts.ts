/**
 * What nearly every packet of a ring is: from one interface of a network to another, on a TCP port that both allow-lists name,
 * with no security group at either. One look-up decides it, where the chains would take five; they would come to the same.
 */
import { containsAddress, type Prefix } from '../lib/ip.ts';
import { markOf } from './interface.ts';
import { toPrefix } from './intervals.ts';
import { nftSet } from './nft.ts';
import type { Judged } from './judges.ts';

/** Pairs of interfaces and a port, as many as two dozen nodes have. Where there are more, the chains judge them all. */
const most = 500;

/** Rules for the beginning of a router's forward chain. All that they accept is what the rest of it accepts. */
export function shortcuts(interfaces: readonly Judged[]): readonly string[] {
  const open = interfaces.filter(({ security }) => security.length === 0).map(readList);
  const original: string[] = [];
  const reply: string[] = [];
  for (const from of open) {
    for (const to of open) {
      if (from === to) continue;
      for (const port of portsBetween(from, to)) {
        original.push(element(from, to, port));
        reply.push(element(to, from, port));
      }
    }
    if (original.length > most) return [];
  }
  if (original.length === 0) return [];
  // The device as well as the address: a user's route can lead to another than the owner.
  const where = 'meta mark . oifname . ip daddr';
  return [
    `ct direction original ${where} . tcp dport ${nftSet(original)} accept`,
    `ct direction reply ct state established ${where} . tcp sport ${nftSet(reply)} accept`,
  ];
}

const element = (from: Judged, to: Judged, port: number): string =>
  `${markOf(from.address)} . "${to.device}" . ${to.address} . ${port}`;

/** An interface, with the prefixes of its list read once. */
interface End extends Judged {
  /** Null: it has no list. */
  readonly tcp: readonly TcpRule[] | null;
}

interface TcpRule {
  readonly direction: 'in' | 'out';
  readonly port: number;
  readonly remote: readonly Prefix[];
}

const readList = (item: Judged): End => ({
  ...item,
  tcp:
    item.allow?.flatMap(({ protocol, direction, port, remote }) =>
      protocol === 'tcp' ? [{ direction, port, remote: remote.map(toPrefix) }] : [],
    ) ?? null,
});

/** TCP ports that both allow-lists let through. An interface without a list lets all through, and names none. */
function portsBetween(from: End, to: End): readonly number[] {
  const out = from.tcp && portsOf(from.tcp, 'out', to.address);
  const into = to.tcp && portsOf(to.tcp, 'in', from.address);
  if (out && into) return out.filter((port) => into.includes(port));
  return out ?? into ?? [];
}

const portsOf = (
  rules: readonly TcpRule[],
  direction: TcpRule['direction'],
  address: string,
): readonly number[] =>
  rules
    .filter(
      (rule) =>
        rule.direction === direction && rule.remote.some((prefix) => containsAddress(prefix, address)),
    )
    .map(({ port }) => port);
