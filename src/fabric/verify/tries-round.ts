import { at, dnsQuestion, icmp, mark, tcp, udp, type Aims, type Sort } from './try.ts';
import { aimsOf, gateMachineOf, gateOf } from './gate.ts';

/** Round the gate: straight to the services behind it, and to what of the gate nobody is led to. */
export function roundGate({ world, machine, port }: Aims): Sort[] {
  const gate = gateOf(world, machine);
  if (!gate) return [];
  const own = [machine.address];
  // What others send there too is this machine's by its source.
  const from = (protocol: 'tcp' | 'udp', to: string, used: number): Partial<Sort> => ({
    markers: [mark(to, protocol, used, own)],
  });
  const list: Sort[] = [];
  const places = new Map(
    [...gate.accounts, ...aimsOf(gate, machine)].map((one) => [`${one.address} ${one.port}`, one]),
  );
  for (const { address, port: service } of places.values()) {
    // Nothing is sent where no machine of ours stands.
    if (!world.machines.some((m) => m.address === address)) continue;
    const name = `an account's service ${address}`;
    const mapped = `::ffff:${address}`;
    const used = port();
    list.push(
      tcp(address, service, name, 'tcp', from('tcp', address, service)),
      udp(address, service, name, 'udp', from('udp', address, service)),
      udp(address, 53, name, 'dns', {
        ...{ what: 'DNS over UDP', arguments: { to: address, port: 53, hex: dnsQuestion } },
        ...from('udp', address, 53),
      }),
      tcp(address, 53, name, 'dns', { what: 'DNS over TCP', ...from('tcp', address, 53) }),
      icmp(address, name, 'icmp', own),
      {
        what: 'forged IPv6 frame (AF_PACKET)',
        towards: at(name, used),
        control: 'ipv6',
        markers: [mark(mapped, 'udp', used), { destinations: [], protocol: 'ethertype 0x86dd', port: null }],
        verb: 'frame',
        arguments: { kind: 'udp6', to: mapped, port: used, source: '2001:db8:5a11::7' },
      },
    );
  }
  const door = gateMachineOf(world);
  if (!door) return list;
  const to = door.address;
  const name = `the gate ${to}`;
  list.push(
    tcp(to, 80, name, 'tcp', from('tcp', to, 80)),
    tcp(to, 8080, name, 'tcp', from('tcp', to, 8080)),
    udp(to, 443, name, 'udp', { what: 'UDP, as HTTP/3 does', ...from('udp', to, 443) }),
    udp(to, 53, name, 'dns', {
      ...{ what: 'DNS over UDP', arguments: { to, port: 53, hex: dnsQuestion } },
      ...from('udp', to, 53),
    }),
    icmp(to, name, 'icmp', own),
  );
  // An operator may do this; its nodes by the tunnel alone.
  if (machine.kind === 'node') list.push(tcp(to, 443, name, 'tcp', from('tcp', to, 443)));
  return list;
}
