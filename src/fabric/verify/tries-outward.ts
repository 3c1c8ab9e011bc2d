import { at, dnsQuestion, icmp, mark, tcp, udp, type Aims, type ControlClass, type Sort } from './try.ts';

/** To the internet's canaries, by every protocol that there is to try. */
export function outward({ world, machine, port, turn }: Aims): Sort[] {
  const pick = (n: number): string => world.canaries.ipv4[(turn + n) % world.canaries.ipv4.length]!;
  const four = pick(0);
  const six = world.canaries.ipv6[turn % Math.max(1, world.canaries.ipv6.length)];
  const internet = (address: string): string => `internet ${address}`;
  const forged = (
    what: string,
    control: ControlClass,
    more: Readonly<Record<string, string | number>>,
    source: string,
  ): Sort => {
    const used = port();
    return {
      what,
      towards: at(internet(four), used),
      control,
      markers: [mark(four, 'udp', used)],
      verb: 'frame',
      arguments: { kind: 'udp4', to: four, port: used, source, ...more },
    };
  };
  const neighbour = world.machines.find((m) => m.network === machine.network && m.id !== machine.id);
  const list: Sort[] = [
    tcp(four, port(), internet(four), 'tcp'),
    tcp(four, 443, internet(four), 'tcp'),
    udp(four, port(), internet(four), 'udp'),
    udp(four, 53, internet(four), 'dns', {
      what: 'DNS over UDP',
      arguments: { to: four, port: 53, hex: dnsQuestion },
    }),
    tcp(four, 53, internet(four), 'dns', { what: 'DNS over TCP' }),
    icmp(four, internet(four), 'icmp'),
    {
      ...icmp(four, internet(four), 'raw'),
      what: 'raw IP, protocol 253',
      markers: [mark(four, '253', null)],
      verb: 'raw',
      arguments: { to: four, proto: 253 },
    },
    {
      ...icmp(four, internet(four), 'raw'),
      what: 'raw IP, protocol 47 (GRE)',
      markers: [mark(four, '47', null), mark(four, 'gre', null)],
      verb: 'raw',
      arguments: { to: four, proto: 47 },
    },
    forged('forged frame (AF_PACKET)', 'forged', {}, machine.address),
    {
      what: 'frame of another kind (AF_PACKET)',
      towards: 'anything on the cable',
      control: 'frame',
      markers: [{ destinations: [], protocol: 'ethertype 0x88b5', port: null }],
      verb: 'frame',
      arguments: { kind: 'ether', type: '88b5' },
    },
  ];
  const tagged = forged('frame with a VLAN tag (AF_PACKET)', 'vlan', { vlan: 7 }, machine.address);
  list.push({
    ...tagged,
    markers: [...tagged.markers, { destinations: [], protocol: 'ethertype 0x8100', port: null }],
  });
  // A later fragment has no port: a filter that looks for one must not take that for a yes.
  const fragment = forged('later fragment (AF_PACKET)', 'fragment', { kind: 'frag4' }, machine.address);
  list.push({ ...fragment, towards: internet(four), markers: [mark(four, 'udp', null)] });
  if (neighbour) {
    list.push(forged("frame with a neighbour's address", 'spoofed', {}, neighbour.address));
    const used = port();
    list.push({
      what: "packet with a neighbour's address",
      towards: at(internet(four), used),
      control: 'spoofed',
      markers: [mark(four, 'udp', used)],
      verb: 'raw',
      arguments: { to: four, port: used, source: neighbour.address },
    });
  }
  if (six) {
    list.push(udp(six, port(), internet(six), 'ipv6', { what: 'UDP over IPv6' }));
    list.push(tcp(six, port(), internet(six), 'ipv6', { what: 'TCP over IPv6' }));
    list.push(icmp(six, internet(six), 'ipv6'));
    const used = port();
    list.push({
      what: 'forged IPv6 frame (AF_PACKET)',
      towards: at(internet(six), used),
      control: 'ipv6',
      // A recorder may know an IPv6 frame by its packet or by its kind only.
      markers: [mark(six, 'udp', used), { destinations: [], protocol: 'ethertype 0x86dd', port: null }],
      verb: 'frame',
      arguments: { kind: 'udp6', to: six, port: used, source: '2001:db8:5a11::7' },
    });
  }
  return list;
}

export function metadata({ port }: Aims): Sort[] {
  const address = '169.254.169.254';
  const name = `metadata ${address}`;
  return [tcp(address, 80, name, 'metadata'), udp(address, port(), name, 'metadata')];
}
