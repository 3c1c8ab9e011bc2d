/**
 * What is tried: data. Every try aims at a documentation range or at an address that a canary or a machine of ours owns,
 * and bears a port (where its protocol has one) that no other try of the run bears.
 */
import { inAnyPrefix } from '../../lib/ip.ts';
import { ports } from '../../network/ports.ts';
import { asPrefix, doorOf, isAllowed, tcp, udp, type Aims, type Batch, type Sort, type Try } from './try.ts';
import { hostMeans } from './tries-host.ts';
import { customers, door, neighbours, peered, provider } from './tries-near.ts';
import { metadata, outward } from './tries-outward.ts';
import { reconfigured } from './tries-root.ts';
import { roundGate } from './tries-round.ts';
import { tunnel } from './tries-tunnel.ts';

/** Everything a machine tries, as one identity. */
export function triesOf(aims: Aims): Batch {
  const list: Sort[] = [
    ...outward(aims),
    ...metadata(aims),
    ...door(aims),
    ...neighbours(aims),
    ...peered(aims),
    ...provider(aims),
    ...customers(aims),
    ...roundGate(aims),
  ];
  const preparation: (readonly string[])[] = [];
  if (aims.as === 'root') list.push(...reconfigured(aims, preparation));
  list.push(...tunnel(aims, preparation), ...hostMeans(aims));
  return {
    tries: list.map((sort, n) => ({ by: 'network', ...sort, id: `t${n + 1}` })),
    preparation: { orders: preparation },
  };
}

/** What must work, so that "nothing gets out" is not said of a machine that is dead: the ring and the operator's own port, or control. */
export function allowedTries({
  world,
  machine,
  others,
}: Pick<Aims, 'world' | 'machine' | 'others'>): readonly Try[] {
  const ring = (machine.allow ?? [])
    .filter((rule) => rule.direction === 'out' && rule.protocol === 'tcp')
    .flatMap((rule) =>
      world.machines
        .filter(
          (m) =>
            (m.kind === 'node' || m.kind === 'control-door') &&
            m.id !== machine.id &&
            m.network === machine.network &&
            isAllowed([rule], m.address, 'tcp', rule.port),
        )
        .map((m) => ({ m, rule })),
    )
    .slice(0, 1)
    .map(({ m, rule }) => ({
      ...tcp(m.address, rule.port, `${m.hostname} ${m.address}`, 'neighbour'),
      what: rule.reason,
    }));
  const operator = world.machines.find(
    (m) => m.kind === 'operator' && m.address === doorOf(world, machine)?.destination,
  );
  const far = operator && others.get(operator.id)?.tunnel?.address;
  const exchange = far
    ? [
        {
          ...tcp(far, ports.exchange, `the operator ${far}`, 'tunnel'),
          what: 'the exchange with the operator',
        },
      ]
    : [];
  return [...ring, ...exchange].map((sort, n) => ({ by: 'network', ...sort, id: `a${n + 1}` }));
}

/** What the application machine does as positive control: the same, from where a way out is. */
export function controlTries(aims: Aims): Batch {
  const neighbour = aims.world.machines.find((m) => m.kind === 'node' && m.network === aims.machine.network);
  const rule = neighbour?.allow?.find(
    (r) =>
      r.direction === 'in' &&
      r.protocol === 'tcp' &&
      inAnyPrefix(aims.machine.address, r.remote.map(asPrefix)),
  );
  const list: Sort[] = [...outward(aims), ...metadata(aims)];
  for (const other of aims.world.machines) {
    if (
      other.kind !== 'application' ||
      other.network !== aims.machine.network ||
      other.id === aims.machine.id
    )
      continue;
    list.push(udp(other.address, aims.port(), `${other.hostname} ${other.address}`, 'neighbour'));
  }
  if (neighbour && rule)
    list.push(tcp(neighbour.address, rule.port, `${neighbour.hostname} ${neighbour.address}`, 'neighbour'));
  return {
    tries: list.map((sort, n) => ({ by: 'network', ...sort, id: `c${n + 1}` })),
    preparation: { orders: [] },
  };
}
