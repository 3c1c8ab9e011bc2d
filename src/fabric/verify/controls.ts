import { atCable, nameOf, type Sighting } from './judge.ts';
import { matches } from './judge.ts';
import type { ProbeResult } from './batch.ts';
import type { Control } from './result.ts';
import type { Batch, ControlClass, Try } from './try.ts';
import type { WorldMachine } from './world.ts';

/**
 * Kinds that no router here carries for anybody: that the application machine's own cable showed them is enough, since
 * there the recorder stands that would show a node's.
 */
const cableIsEnough: ReadonlySet<ControlClass> = new Set([
  'raw',
  'ipv6',
  'frame',
  'vlan',
  'spoofed',
  'metadata',
  'fragment',
]);

const names: Readonly<Record<ControlClass, string>> = {
  tcp: 'TCP',
  udp: 'UDP',
  icmp: 'ICMP',
  dns: 'DNS',
  raw: 'raw IP',
  forged: 'forged frames',
  fragment: 'later fragments',
  ipv6: 'IPv6',
  frame: 'frames of another kind',
  vlan: 'frames with a VLAN tag',
  spoofed: "packets with a neighbour's address",
  metadata: 'the metadata address',
  neighbour: 'a neighbour',
  tunnel: 'the tunnel',
  host: "the host's sockets",
  vsock: 'AF_VSOCK',
};

/** What the application machine did as well, kind by kind, and where it was seen. */
export function judgeControls(
  machine: WorldMachine,
  batch: Batch,
  results: ReadonlyMap<string, ProbeResult>,
  sightings: readonly Sighting[],
): readonly { readonly kind: ControlClass; readonly control: Control }[] {
  const kinds = [...new Set(batch.tries.map((t) => t.control))];
  return kinds.map((kind) => {
    const tries = batch.tries.filter((t) => t.control === kind);
    const past = tries.filter((t) => placesOf(t, machine.id, sightings).length > 0);
    const left = tries.filter((t) => atCable(t.markers, machine.id, sightings));
    // A kind for which the cable is enough is shown by any of its means; the others by each of them.
    const atCableOnly = cableIsEnough.has(kind) && past.length === 0;
    const seen = cableIsEnough.has(kind)
      ? past.length + left.length > 0
      : tries.length > 0 && past.length === tries.length;
    const where = [...new Set(past.flatMap((t) => placesOf(t, machine.id, sightings)))].join(', ');
    const missed = tries.find((t) => !past.includes(t));
    const evidence = seen
      ? atCableOnly
        ? `seen at its cable (${left.length} of ${tries.length}); no router here carries it further`
        : `seen ${where} (${past.length} of ${tries.length})`
      : `${missed?.what ?? ''} to ${missed?.towards ?? ''} was not seen: ${results.get(missed?.id ?? '')?.state ?? 'never tried'} ${results.get(missed?.id ?? '')?.detail ?? ''}`.trim();
    return { kind, control: { kind: 'protocol', what: names[kind], from: machine.hostname, seen, evidence } };
  });
}

/** Where, past the machine's own cable, the recorders saw it. */
function placesOf(tried: Try, machine: string, sightings: readonly Sighting[]): readonly string[] {
  return sightings
    .filter(
      (s) =>
        s.of !== machine &&
        s.place !== 'nic-out' &&
        s.seen.some((seen) => tried.markers.some((m) => matches(m, seen))),
    )
    .map(nameOf);
}
