import { at, ip, mark, type Aims, type Sort } from './try.ts';

/** What root can add to its machine: addresses, routes, devices, forwarding. */
export function reconfigured({ world, facts, port, turn }: Aims, orders: (readonly string[])[]): Sort[] {
  const dev = facts.device;
  const four = (n: number): string => world.canaries.ipv4[(turn + n) % world.canaries.ipv4.length]!;
  const six = world.canaries.ipv6.at(-1);
  const list: Sort[] = [];
  const one = (
    what: string,
    to: string,
    more: Readonly<Record<string, string | number>>,
    verb = 'udp',
  ): void => {
    const used = port();
    list.push({
      what,
      towards: at(`internet ${to}`, used),
      control: to.includes(':') ? 'ipv6' : 'udp',
      markers: [mark(to, 'udp', used)],
      verb,
      arguments: { to, port: used, ...more },
    });
  };
  orders.push(['begin', 'address', ip, 'address', 'add', '198.51.100.253/32', 'dev', dev]);
  orders.push(['end', ip, 'address', 'del', '198.51.100.253/32', 'dev', dev]);
  one('UDP from an added address', four(0), { from: '198.51.100.253', needs: 'address' });

  // A route in a table of its own, so that the machine's own routes stay as they are.
  orders.push(['begin', 'route', ip, 'route', 'add', four(1), 'dev', dev, 'table', '7777']);
  orders.push([
    'begin',
    'route',
    ip,
    'rule',
    'add',
    'to',
    four(1),
    'from',
    '198.51.100.252',
    'lookup',
    '7777',
    'priority',
    '77',
  ]);
  orders.push(['begin', 'route', ip, 'address', 'add', '198.51.100.252/32', 'dev', dev]);
  orders.push([
    'begin',
    'route',
    ip,
    'neighbour',
    'replace',
    four(1),
    'lladdr',
    '{gateway-mac}',
    'dev',
    dev,
    'nud',
    'permanent',
  ]);
  orders.push(['end', ip, 'rule', 'del', 'priority', '77'], ['end', ip, 'route', 'flush', 'table', '7777']);
  orders.push(
    ['end', ip, 'address', 'del', '198.51.100.252/32', 'dev', dev],
    ['end', ip, 'neighbour', 'del', four(1), 'dev', dev],
  );
  one('UDP by an added route', four(1), { from: '198.51.100.252', needs: 'route' });

  for (const [key, kind, ...more] of [
    ['svvlan', 'vlan', 'id', '7'],
    ['svmac', 'macvlan', 'mode', 'bridge'],
    ['svdum', 'dummy'],
  ] as const) {
    orders.push([
      'begin',
      key,
      ip,
      'link',
      'add',
      ...(kind === 'dummy' ? [] : ['link', dev]),
      'name',
      key,
      'type',
      kind,
      ...more,
    ]);
    orders.push([
      'begin',
      key,
      ip,
      'address',
      'add',
      `198.51.100.${kind === 'vlan' ? 249 : kind === 'dummy' ? 248 : 247}/32`,
      'dev',
      key,
    ]);
    orders.push(['begin', key, ip, 'link', 'set', key, 'up']);
    if (kind !== 'dummy')
      orders.push([
        'begin',
        key,
        ip,
        'neighbour',
        'replace',
        four(2),
        'lladdr',
        '{gateway-mac}',
        'dev',
        key,
        'nud',
        'permanent',
      ]);
    orders.push(['end', ip, 'link', 'del', key]);
    if (kind === 'dummy')
      one('UDP from the address of an added dummy device', four(2), { from: '198.51.100.248', needs: key });
    else one(`UDP by an added ${kind} device`, four(2), { dev: key, needs: key });
  }

  orders.push(['set', 'tun', '/proc/sys/net/ipv4/ip_forward', '1']);
  one(
    'packet forwarded from an added tun device',
    four(0),
    { name: 'svtun', source: '198.51.100.246', needs: 'tun' },
    'tun',
  );

  if (six) {
    orders.push(['set', 'six', `/proc/sys/net/ipv6/conf/${dev}/disable_ipv6`, '0']);
    orders.push(['begin', 'six', ip, '-6', 'address', 'add', '2001:db8:5a11::8/128', 'dev', dev, 'nodad']);
    orders.push(['begin', 'six', ip, '-6', 'route', 'replace', `${six}/128`, 'dev', dev, 'metric', '7']);
    orders.push([
      'begin',
      'six',
      ip,
      '-6',
      'neighbour',
      'replace',
      six,
      'lladdr',
      '{gateway-mac}',
      'dev',
      dev,
      'nud',
      'permanent',
    ]);
    orders.push(
      ['end', ip, '-6', 'neighbour', 'del', six, 'dev', dev],
      ['end', ip, '-6', 'route', 'del', `${six}/128`, 'dev', dev, 'metric', '7'],
    );
    orders.push(['end', ip, '-6', 'address', 'del', '2001:db8:5a11::8/128', 'dev', dev]);
    one('UDP over IPv6 by an added address and route', six, { needs: 'six', from: '2001:db8:5a11::8' });
    one(
      'TCP over IPv6 by an added address and route',
      six,
      { needs: 'six', from: '2001:db8:5a11::8' },
      'tcp',
    );
    const last = list.at(-1)!;
    list[list.length - 1] = { ...last, markers: last.markers.map((m) => ({ ...m, protocol: 'tcp' })) };
  }
  return list;
}
