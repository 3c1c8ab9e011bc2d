/**
 * From what a prober says and what recorders saw to a verdict. Pure. When in doubt it says "not proved", never "stopped".
 */
import type { ProbeResult } from './batch.ts';
import type { Control, Identity, Rules, VerifiedTry, VerifyResult, Wall } from './result.ts';
import { endOfPorts, firstPort, type Batch, type ControlClass, type Marker, type Try } from './try.ts';
import type { Recorder, Seen, WorldMachine } from './world.ts';

/** What one recorder saw during a batch. `watcher`: a prober of ours inside a machine, at its tunnel; `listener`: on a
 *  port of its own there. */
export interface Sighting {
  readonly place: Recorder['place'] | 'watcher' | 'listener';
  readonly of: string | null;
  readonly seen: readonly Seen[];
}

export interface Evidence {
  readonly machine: WorldMachine;
  readonly as: Identity;
  readonly rules: Rules;
  readonly batch: Batch;
  readonly results: ReadonlyMap<string, ProbeResult>;
  readonly sightings: readonly Sighting[];
  /** First lines that the host's canary sockets heard during the batch. */
  readonly heard: readonly string[];
  /** Why no recorder's silence can be believed in this batch; empty when it can. */
  readonly blind: readonly string[];
  /** Classes of tries whose positive control was seen. */
  readonly controls: ReadonlySet<ControlClass>;
  /** The machine that the tunnel ends in. */
  readonly operator: string | null;
  /** Another customer's machine bears the same address: a source address then says nothing of who sent. */
  readonly hasTwin: boolean;
}

export const matches = (marker: Marker, seen: Seen): boolean =>
  seen.packets > 0 &&
  seen.protocol === marker.protocol &&
  seen.port === marker.port &&
  (marker.destinations.length === 0 || marker.destinations.includes(seen.destination)) &&
  (!marker.sources || marker.sources.includes(seen.source));

/** Whether a marker can be nobody else's: its port is one of this run's. */
const isUnique = (marker: Marker): boolean =>
  marker.port !== null && marker.port >= firstPort && marker.port < endOfPorts;

const finds = (sighting: Sighting, markers: readonly Marker[]): boolean =>
  sighting.seen.some((seen) => markers.some((marker) => matches(marker, seen)));

export const atCable = (
  markers: readonly Marker[],
  machine: string,
  sightings: readonly Sighting[],
): boolean => sightings.some((s) => s.place === 'nic-out' && s.of === machine && finds(s, markers));

/** Where, past the machine's own cable, a try was seen. */
function beyond(tried: Try, evidence: Evidence, left: boolean): string | undefined {
  for (const s of evidence.sightings) {
    if ((s.place === 'nic-out' || s.place === 'nic-in') && s.of === evidence.machine.id) continue;
    // The tunnel carries everything to the operator's end; that end's own door judges it there.
    if (s.place === 'watcher' && s.of === evidence.operator) continue;
    const surely = tried.markers.filter((m) => {
      if (s.place === 'watcher' || s.place === 'listener') return isUnique(m);
      if (isUnique(m) || (m.sources && !evidence.hasTwin)) return true;
      // What others may send too counts as this machine's only where its own cable saw it leave.
      return left && s.place !== 'nic-out';
    });
    if (finds(withListener(s, tried), surely)) return nameOf(s);
  }
  return undefined;
}

/** A listener knows a port, not the address it was called by. */
const withListener = (s: Sighting, tried: Try): Sighting =>
  s.place === 'listener'
    ? { ...s, seen: s.seen.map((seen) => ({ ...seen, destination: String(tried.arguments['to'] ?? '') })) }
    : s;

export const nameOf = (s: Pick<Sighting, 'place' | 'of'>): string =>
  ({
    internet: 'on the internet',
    link: `behind the private link ${s.of}`,
    'nic-in': `at the machine ${s.of}`,
    'nic-out': `out of the machine ${s.of}`,
    watcher: `in the tunnel of ${s.of}`,
    listener: `on a port of ${s.of}`,
  })[s.place];

export function judge(evidence: Evidence): readonly VerifiedTry[] {
  return evidence.batch.tries.map((tried) => judgeTry(tried, evidence));
}

function judgeTry(tried: Try, evidence: Evidence): VerifiedTry {
  const said = evidence.results.get(tried.id);
  const base = {
    machine: evidence.machine.id,
    as: evidence.as,
    rules: evidence.rules,
    what: tried.what,
    towards: tried.towards,
  };
  const ends = (outcome: VerifiedTry['outcome'], wall: Wall | null, text: string): VerifiedTry => ({
    ...base,
    outcome,
    wall,
    evidence: text,
  });

  const left = atCable(tried.markers, evidence.machine.id, evidence.sightings);
  const where = beyond(tried, evidence, left);
  if (where) return ends('leaked', null, `seen ${where}`);
  if (said?.state === 'reached') return ends('leaked', null, said.detail || 'reached');
  if (evidence.heard.some((line) => line.split(' ').at(-1) === tried.id))
    return ends('leaked', null, 'a socket of the host heard it');
  if (said?.state === 'answered') return ends('leaked', null, `it was answered: ${said.detail}`);

  if (!said) return ends('not proved', null, 'the prober says nothing of it');
  if (tried.by !== 'host' && evidence.blind.length > 0) return ends('not proved', null, evidence.blind[0]!);
  if (!evidence.controls.has(tried.control))
    return ends('not proved', null, `the positive control for this kind (${tried.control}) was not seen`);
  if (tried.verb === 'vsock' && tried.control === 'host')
    return ends('stopped', 'kernel', `not on this kernel: the host has none either (${said.detail})`);
  if (tried.by === 'host') return ends('stopped', hostWall(said), said.detail || 'held');
  if (said.state === 'refused')
    return ends('stopped', refusedBy(said, tried, evidence), `refused: ${said.detail}`);
  if (tried.by === 'tunnel') return judgeTunnel(tried, evidence, ends);
  if (left) {
    return ends(
      'stopped',
      evidence.machine.allow ? 'platform policy' : "customer's NSG",
      'left the machine, seen at its cable, nowhere beyond',
    );
  }
  const far = said.detail ? ` (${said.detail})` : '';
  if (evidence.rules === 'in force')
    return ends('stopped', ownDoor(evidence.machine), `sent, not seen at its cable${far}`);
  return ends('stopped', 'no route', `sent, with no trace at its cable${far}`);
}

function judgeTunnel(
  tried: Try,
  evidence: Evidence,
  ends: (o: 'stopped', wall: Wall, text: string) => VerifiedTry,
): VerifiedTry {
  const arrived = evidence.sightings.some(
    (s) => s.place === 'watcher' && s.of === evidence.operator && finds(s, tried.markers),
  );
  if (arrived)
    return ends(
      'stopped',
      "operator's door",
      "arrived at the operator's end of the tunnel, which took it no further",
    );
  if (evidence.rules === 'in force')
    return ends('stopped', "node's door", "sent, not seen at the operator's end of the tunnel");
  return ends('stopped', 'WireGuard', "not seen at the operator's end of the tunnel: no key is good for it");
}

const ownDoor = ({ kind }: WorldMachine): Wall => (kind === 'operator' ? "operator's door" : "node's door");

/** The prober says at which stage, and with which errno, the kernel refused. */
function refusedBy(said: ProbeResult, tried: Try, { rules, machine }: Evidence): Wall {
  const [stage, errno = ''] = said.detail.split(' ');
  if (stage === 'prepare') return /not permitted|denied/i.test(said.detail) ? 'no capability' : 'kernel';
  // A frame that the machine's own egress hook drops comes back as "no buffer space".
  if (stage === 'send' && errno === 'ENOBUFS' && rules === 'in force') return ownDoor(machine);
  if (errno === 'EPERM' || errno === 'EACCES') return stage === 'send' ? ownDoor(machine) : 'no capability';
  if (errno === 'ENOKEY' || errno === 'EDESTADDRREQ') return 'WireGuard';
  if (['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EINVAL'].includes(errno)) return 'no route';
  return tried.by === 'tunnel' ? 'WireGuard' : 'kernel';
}

const hostWall = (said: ProbeResult): Wall =>
  /EAFNOSUPPORT/.test(said.detail)
    ? 'system call filter'
    : /EPERM|EACCES|not permitted|denied/i.test(said.detail)
      ? 'no capability'
      : 'namespace';

/** A recorder's counters only grow: what is new since. */
export function since(before: readonly Seen[], after: readonly Seen[]): readonly Seen[] {
  const key = (s: Seen): string => [s.source, s.destination, s.protocol, s.port ?? ''].join(' ');
  const had = new Map(before.map((s) => [key(s), s.packets]));
  return after.flatMap((s) => {
    const packets = s.packets - (had.get(key(s)) ?? 0);
    // A smaller number means that the recorder was started afresh: all of it is new.
    return packets > 0 ? [{ ...s, packets }] : packets < 0 ? [s] : [];
  });
}

export function verdictOf(
  tries: readonly VerifiedTry[],
  controls: readonly Control[],
): VerifyResult['verdict'] {
  if (tries.some((t) => t.outcome === 'leaked')) return 'leak';
  const whole = tries.length > 0 && controls.length > 0 && controls.every((c) => c.seen);
  return whole && tries.every((t) => t.outcome === 'stopped') ? 'proved' : 'not proved';
}
