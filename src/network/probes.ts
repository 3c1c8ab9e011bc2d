/** What the model of all walls says of a probe, held against what the packet did. Pure. */
import type { Probe, ProbeResult } from '../exchange/intents/fabric.ts';
import { reach, type Flow, type Reached, type Walls } from './reachability.ts';

const flowOf = (walls: Walls, { from, to, protocol, port }: Probe): Flow => ({
  protocol: ({ tcp: 'Tcp', udp: 'Udp', icmp: 'Icmp' } as const)[protocol],
  source: { address: walls.places.find(({ id }) => id === from)?.address ?? '0.0.0.0', port: null },
  destination: { address: to, port: protocol === 'icmp' ? null : port },
});

/** Where the model says that it arrives: ids of machines and links, `internet`. */
export function shallArrive(walls: Walls, probe: Probe): readonly string[] {
  const reached = reachedBy(walls, probe);
  if (!reached) return [];
  if (!reached.reached) return reached.why === 'route' && reached.at !== null ? [reached.at] : [];
  return [reached.at === 'Internet' ? 'internet' : reached.at];
}

function reachedBy(walls: Walls, probe: Probe): Reached | undefined {
  const from = walls.places.find(({ id }) => id === probe.from);
  return from && reach(walls, from, flowOf(walls, probe));
}

export interface Comparison {
  /** `opened`: it came where no wall should have let it. `shut`: it didn't come where it should have. `unproved`: its silence proves nothing. */
  readonly outcome: 'agrees' | 'opened' | 'shut' | 'unproved';
  readonly text: string;
}

/** `running`: machines that are there to receive it. */
export function compare(
  walls: Walls,
  probe: Probe,
  result: ProbeResult,
  running: (machineId: string) => boolean,
  nameOf: (id: string) => string = (id) => id,
): Comparison {
  const shall = shallArrive(walls, probe);
  // What a link lets through comes out of it again.
  const allowed = [
    ...shall,
    ...walls.endpoints.flatMap(({ id, operator }) => (shall.includes(id) && operator ? [operator] : [])),
  ];
  const astray = result.arrived.filter((at) => !allowed.includes(at));
  const where = (places: readonly string[]): string =>
    places.map((at) => (at === 'internet' ? 'the internet' : nameOf(at))).join(' and ');
  if (astray.length > 0)
    return {
      outcome: 'opened',
      text: `it arrived at ${where(astray)}, and the walls as they are asked for let it arrive ${shall.length > 0 ? `at ${where(shall)} only` : 'nowhere'}`,
    };
  if (result.blind !== null) return { outcome: 'unproved', text: result.blind };
  const missing = shall.filter((at) => !result.arrived.includes(at));
  const asleep = missing.find((at) => walls.places.some(({ id }) => id === at) && !running(at));
  if (asleep !== undefined) return { outcome: 'unproved', text: `${nameOf(asleep)} does not run` };
  if (missing.length > 0) {
    const own = result.left ? 'it left its machine' : `its own machine kept it (${result.said})`;
    return { outcome: 'shut', text: `it did not arrive at ${where(missing)}: ${own}` };
  }
  if (shall.length > 0) return { outcome: 'agrees', text: `it arrived at ${where(shall)}` };
  if (result.left) return { outcome: 'agrees', text: 'it left its machine and arrived nowhere' };
  if (result.said === 'sent') return { outcome: 'agrees', text: 'it did not leave its machine' };
  return { outcome: 'agrees', text: `its own machine kept it already (${result.said})` };
}
