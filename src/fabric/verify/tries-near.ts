import { ports } from '../../network/ports.ts';
import { at, icmp, isAllowed, doorOf, mark, tcp, udp, type Aims, type Sort } from './try.ts';

/** The door's own address, on all but the one port. */
export function door({ world, machine, port }: Aims): Sort[] {
  return world.links
    .filter((link) => link.network === machine.network)
    .flatMap((link) => {
      const own = isAllowed(machine.allow, link.address, 'udp', link.port);
      const name = `${own ? 'the door' : "another cluster's door"} ${link.address}`;
      // Behind the link the same packet would bear the operator's address.
      const through = (sort: Sort): Sort => ({
        ...sort,
        markers: sort.markers.flatMap((m) => [m, { ...m, destinations: [link.destination] }]),
      });
      const list = [
        tcp(link.address, port(), name, 'tcp'),
        tcp(link.address, link.port, name, 'tcp'),
        tcp(link.address, 443, name, 'tcp'),
        udp(link.address, port(), name, 'udp'),
        icmp(link.address, name, 'icmp', [machine.address]),
        {
          what: 'later fragment (AF_PACKET)',
          towards: name,
          control: 'fragment' as const,
          markers: [mark(link.address, 'udp', null)],
          verb: 'frame',
          arguments: { kind: 'frag4', to: link.address, port: 0, source: machine.address },
        },
      ].map(through);
      // The port itself, of a door that isn't this machine's; what the link then lets through looks like its own nodes'.
      if (!own)
        list.push(
          udp(link.address, link.port, name, 'udp', {
            markers: [mark(link.address, 'udp', link.port, [machine.address])],
          }),
        );
      return list;
    });
}

/** Machines of the same network, and addresses in its other subnets that nobody owns. */
export function neighbours({ world, machine, port }: Aims): Sort[] {
  const network = world.machines.filter((m) => m.network === machine.network && m.id !== machine.id);
  const peers = network.filter((m) => m.kind === 'node').slice(0, 1);
  const others = network.filter((m) => m.kind !== 'node');
  // Around an operator each kind is another wall's other side.
  const rest =
    machine.kind === 'operator'
      ? others.filter((m, at) => others.findIndex(({ kind }) => kind === m.kind) === at)
      : others.slice(0, 2);
  const list = [...peers, ...rest].flatMap((other) => {
    const name = `${other.hostname} ${other.address}`;
    return [
      tcp(other.address, port(), name, 'neighbour'),
      udp(other.address, port(), name, 'neighbour'),
      icmp(other.address, name, 'neighbour', [machine.address]),
    ];
  });
  // What a node exports to clients is no way out of its peers.
  for (const { hostname, address } of peers)
    list.push(
      tcp(address, ports.metrics, `${hostname} ${address}`, 'neighbour', {
        what: "TCP to a peer's metrics",
        markers: [mark(address, 'tcp', ports.metrics, [machine.address])],
      }),
    );
  const subnets = world.networks.find((n) => n.id === machine.network)?.subnets ?? [];
  const owned = new Set([...world.machines.map((m) => m.address), ...world.links.map((l) => l.address)]);
  for (const subnet of subnets) {
    const free = unowned(subnet.prefix, owned);
    if (free) list.push(udp(free, port(), `subnet ${subnet.name}, ${free}`, 'udp'));
  }
  const peer = peers[0];
  if (peer) {
    const used = port();
    list.push({
      what: 'forged frame (AF_PACKET)',
      towards: at(`${peer.hostname} ${peer.address}`, used),
      control: 'forged',
      markers: [mark(peer.address, 'udp', used)],
      verb: 'frame',
      arguments: { kind: 'udp4', to: peer.address, port: used, source: rest[0]?.address ?? machine.address },
    });
  }
  return list;
}

/** A machine of each peered network that isn't a node: a peering is a way in for CQL, and no way out. */
export function peered({ world, machine, port }: Aims): Sort[] {
  const peers = world.networks.find((n) => n.id === machine.network)?.peers ?? [];
  return peers.flatMap((network) =>
    world.machines
      .filter((m) => m.network === network && m.kind !== 'node')
      .slice(0, 1)
      .flatMap((other) => {
        const name = `${other.hostname} ${other.address}, in a peered network`;
        return [
          tcp(other.address, port(), name, 'tcp'),
          udp(other.address, port(), name, 'udp'),
          icmp(other.address, name, 'icmp', [machine.address]),
        ];
      }),
  );
}

/** An address near the end of a subnet that no machine and no link owns. */
function unowned(prefix: string, owned: ReadonlySet<string>): string | undefined {
  const [base, length] = prefix.split('/') as [string, string];
  if (Number(length) > 28) return undefined;
  const parts = base.split('.').map(Number);
  for (let last = 14; last > 3; last--) {
    const address = [...parts.slice(0, 3), (parts[3] ?? 0) + last].join('.');
    if (!owned.has(address)) return address;
  }
  return undefined;
}

const namesOf: Readonly<Record<string, string>> = {
  'control-door': 'control',
  gate: 'the gate',
  storage: 'storage',
  monitor: 'monitoring',
};

/** The provider's own addresses, which a customer's machine must not even know the way to. */
export function provider({ world, machine, port }: Aims): Sort[] {
  const own = doorOf(world, machine)?.destination;
  return world.machines
    .filter((m) => m.network !== machine.network && m.kind !== 'node' && m.kind !== 'application')
    .flatMap((m) => {
      const what =
        m.kind !== 'operator'
          ? namesOf[m.kind]
          : m.address === own
            ? 'its operator, past the door'
            : "another cluster's operator";
      const name = `${what} ${m.address}`;
      const list = [tcp(m.address, port(), name, 'tcp'), udp(m.address, port(), name, 'udp')];
      if (m.kind === 'operator') {
        list.push(
          udp(m.address, 51820, name, 'udp', { markers: [mark(m.address, 'udp', 51820, [machine.address])] }),
        );
      }
      return list;
    });
}

/** From an operator: the customers' own addresses, which the tunnel alone leads to. */
export function customers({ world, machine, port }: Aims): Sort[] {
  if (machine.kind !== 'operator') return [];
  return ['node', 'application'].flatMap((kind) =>
    world.machines
      .filter((m) => m.kind === kind && m.network !== machine.network)
      .slice(0, 1)
      .flatMap((m) => {
        const name = `${m.hostname} ${m.address}, in a customer's network`;
        return [
          tcp(m.address, port(), name, 'tcp'),
          udp(m.address, port(), name, 'udp'),
          icmp(m.address, name, 'icmp', [machine.address]),
        ];
      }),
  );
}
