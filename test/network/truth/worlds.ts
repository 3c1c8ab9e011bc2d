/** Worlds to hold the walls against: a ground that stands still, and walls and packets that are drawn. */
import fc from 'fast-check';
import type { FabricIntent, FabricMachine } from '../../../src/exchange/intents/fabric.ts';
import { customers, door, machines, nat, networks, outside, senders, strange, tags } from './ground.ts';
import type { Packet } from './reading.ts';
import { allowOf, asgs, groupIds, groupOf, near, pool, routes, type Ports } from './rules.ts';

// ---- a ground that stays, and walls on it that change

const halves = customers.flatMap(({ id }) =>
  customers.filter((other) => other.id !== id).map((other) => [id, other.id] as const),
);
const subnetNames = networks.flatMap(({ id, subnets }) => subnets.map(({ name }) => `${id}/${name}`));

const mostly = <T>(often: T, seldom: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(often) }, { weight: 1, arbitrary: fc.constant(seldom) });

const ground = fc.record({
  internet: fc.tuple(...customers.map(() => mostly(true, false))),
  peered: fc.tuple(...halves.map(() => mostly(true, false))),
  routes: fc.tuple(...subnetNames.map(() => routes)),
});
type Ground = typeof ground extends fc.Arbitrary<infer T> ? T : never;

const groupId = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constantFrom(...groupIds) },
);
const wallsOn = (ports: Ports) =>
  fc.record({
    groups: fc.tuple(...groupIds.map((id) => groupOf(id, ports))),
    ofSubnets: fc.tuple(...subnetNames.map(() => groupId)),
    ofMachines: fc.tuple(...senders.map(() => mostly<string | null>(null, 'g3'))),
    ofDoor: groupId,
    members: fc.tuple(...[...senders, door].map(() => fc.subarray(asgs))),
    access: fc.tuple(...halves.map(() => mostly(true, false))),
    allow: allowOf(ports),
    open: mostly(true, false),
  });
type DrawnWalls = ReturnType<typeof wallsOn> extends fc.Arbitrary<infer T> ? T : never;

function intentOf(grounds: Ground, walls: DrawnWalls): FabricIntent {
  const at = (name: string): number => subnetNames.indexOf(name);
  return {
    networks: networks.map(({ id, prefixes, subnets }, n) => ({
      id,
      label: id,
      prefixes: [...prefixes],
      subnets: subnets.map(({ name, prefix }) => ({
        name,
        prefix,
        ...(id !== 'provider' && {
          securityGroup: walls.ofSubnets[at(`${id}/${name}`)]!,
          routes: grounds.routes[at(`${id}/${name}`)]!,
        }),
      })),
      peerings: halves.flatMap(([from, to], half) =>
        from === id && grounds.peered[half] ? [{ network: to, access: walls.access[half]! }] : [],
      ),
      internet: id !== 'provider' && grounds.internet[n]!,
    })),
    machines: machines.map((one, n): FabricMachine => {
      if (one.id === 'operator') {
        const tunnel = { direction: 'in', protocol: 'udp', remote: [`${nat}/32`], port: door.port } as const;
        return { ...one, allow: [{ ...tunnel, remote: [...tunnel.remote], reason: 'the tunnel' }] };
      }
      return {
        ...one,
        ...(one.id === 'node' && { allow: walls.allow }),
        securityGroup: walls.ofMachines[n]!,
        applicationSecurityGroups: walls.members[n]!,
      };
    }),
    links: [
      {
        id: 'door',
        label: 'door',
        consumer: {
          network: door.network,
          address: door.address,
          securityGroup: walls.ofDoor,
          applicationSecurityGroups: walls.members.at(-1)!,
        },
        provider: { network: 'provider', natAddress: nat, destination: '172.31.1.4' },
        port: door.port,
        open: walls.open,
      },
    ],
    work: [],
    securityGroups: walls.groups,
    serviceTags: tags,
  };
}

// ---- packets

const packetOf = (ports: Ports): fc.Arbitrary<Packet> =>
  fc
    .record({
      from: fc.constantFrom(...senders.map(({ id }) => id)),
      to: fc.oneof(
        { weight: 10, arbitrary: fc.constantFrom(...machines.map(({ address }) => address)) },
        { weight: 3, arbitrary: fc.constantFrom(...outside) },
        { weight: 2, arbitrary: fc.constant(door.address) },
        { weight: 1, arbitrary: fc.constantFrom(...strange) },
      ),
      protocol: fc.constantFrom<Packet['protocol'][]>('tcp', 'tcp', 'udp', 'udp', 'icmp'),
      sourcePort: near(ports),
      port: near(ports),
    })
    .filter(({ from, to }) => machines.find(({ id }) => id === from)!.address !== to)
    // What the door is for comes too seldom by chance.
    .map((packet) =>
      packet.to === door.address && packet.port % 3 > 0
        ? { ...packet, protocol: 'udp', port: door.port }
        : packet,
    );

/** What a wall is asked about an address that no packet of ours comes from. */
export interface Question {
  readonly machine: string;
  readonly direction: 'Inbound' | 'Outbound';
  readonly far: string;
  readonly protocol: Packet['protocol'];
  readonly sourcePort: number;
  readonly port: number;
}

const questionOf = (ports: Ports): fc.Arbitrary<Question> =>
  fc.record({
    machine: fc.constantFrom(...senders.map(({ id }) => id)),
    direction: fc.constantFrom('Inbound', 'Outbound'),
    far: fc.oneof(
      fc.constantFrom(...outside, ...strange, ...machines.map(({ address }) => address)),
      fc.ipV4(),
    ),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
    sourcePort: near(ports),
    port: near(ports),
  });

export interface World {
  /** Before and after: the same ways, other walls. */
  readonly first: FabricIntent;
  readonly second: FabricIntent;
  /** Sent for real, under the first walls, and more of them under the second. */
  readonly packets: readonly Packet[];
  readonly later: readonly Packet[];
  /** Asked only. */
  readonly asked: readonly Packet[];
  readonly questions: readonly Question[];
}

export const worlds = (counts: {
  readonly packets: number;
  readonly later: number;
  readonly asked: number;
  readonly questions: number;
}): fc.Arbitrary<World> => {
  const exactly = <T>(one: fc.Arbitrary<T>, length: number) =>
    fc.array(one, { minLength: length, maxLength: length, size: 'max' });
  return pool.chain((ports) =>
    fc
      .record({
        grounds: ground,
        first: wallsOn(ports),
        second: wallsOn(ports),
        packets: exactly(packetOf(ports), counts.packets),
        later: exactly(packetOf(ports), counts.later),
        asked: exactly(packetOf(ports), counts.asked),
        questions: exactly(questionOf(ports), counts.questions),
      })
      .map(({ grounds, first, second, ...rest }) => ({
        ...rest,
        first: intentOf(grounds, first),
        second: intentOf(grounds, second),
      })),
  );
};
