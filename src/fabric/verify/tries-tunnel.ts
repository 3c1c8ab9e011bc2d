import { doorOf, ip, tcp, udp, type Aims, type Sort } from './try.ts';

/** Through the tunnel, to anything but the operator's own ports. */
export function tunnel(
  { world, machine, facts, others, as, tunnelPort, port }: Aims,
  orders: (readonly string[])[],
): Sort[] {
  const link = doorOf(world, machine);
  const operator = world.machines.find((m) => m.kind === 'operator' && m.address === link?.destination);
  const far = operator ? others.get(operator.id)?.tunnel : undefined;
  const near = facts.tunnel;
  if (!operator || !far || !near) return [];
  const list: Sort[] = [];
  const both = (to: string, name: string, more: Readonly<Record<string, string | number>> = {}): void => {
    const [a, b] = [tunnelPort(), tunnelPort()];
    list.push(
      tcp(to, a, `${name} ${to}`, 'tunnel', {
        what: 'TCP through the tunnel',
        by: 'tunnel',
        arguments: { to, port: a, ...more },
      }),
    );
    list.push(
      udp(to, b, `${name} ${to}`, 'tunnel', {
        what: 'UDP through the tunnel',
        by: 'tunnel',
        arguments: { to, port: b, ...more },
      }),
    );
  };
  both(far.address, 'the operator, another port');
  for (const other of world.machines
    .filter((m) => m.kind === 'node' && m.network === machine.network && m.id !== machine.id)
    .slice(0, 1)) {
    const address = others.get(other.id)?.tunnel?.address;
    if (address) both(address, other.hostname);
  }
  if (as !== 'root') return list;

  // Root may widen its own end of the tunnel: what lies beyond is then the operator's to refuse.
  const peer = near.peers[0];
  if (!peer) return list;
  const aims: { to: string; name: string }[] = [];
  for (const canary of [world.canaries.ipv4[0], world.canaries.ipv6[0]])
    if (canary) aims.push({ to: canary, name: 'internet' });
  for (const other of world.machines) {
    if (other.network === machine.network || other.id === operator.id) continue;
    if (other.kind === 'control-door') aims.push({ to: other.address, name: 'control' });
    if (other.kind === 'gate') aims.push({ to: other.address, name: 'the gate' });
    if (other.kind === 'storage') aims.push({ to: other.address, name: "an account's service" });
    if (other.kind !== 'operator') continue;
    aims.push({ to: other.address, name: "another cluster's operator" });
    const address = others.get(other.id)?.tunnel?.address;
    if (address) aims.push({ to: address, name: "another cluster's operator, tunnel address" });
  }
  const wide = aims.map(({ to }) => `${to}/${to.includes(':') ? 128 : 32}`);
  if (wide.length === 0) return list;
  const restore = peer.allowedIps.join(',');
  orders.push([
    'begin',
    'wide',
    '/usr/bin/wg',
    'set',
    near.device,
    'peer',
    peer.publicKey,
    'allowed-ips',
    [restore, ...wide].join(','),
  ]);
  orders.push(['end', '/usr/bin/wg', 'set', near.device, 'peer', peer.publicKey, 'allowed-ips', restore]);
  // In a table of their own, for sockets bound to the tunnel only: all other tries keep to the cable.
  for (const family of ['-4', '-6']) {
    orders.push([
      'begin',
      'wide',
      ip,
      family,
      'rule',
      'add',
      'oif',
      near.device,
      'lookup',
      '7778',
      'priority',
      '78',
    ]);
    orders.push(['end', ip, family, 'rule', 'del', 'priority', '78']);
  }
  for (const [n, aim] of aims.entries()) {
    const family = aim.to.includes(':') ? '-6' : '-4';
    orders.push([
      'begin',
      'wide',
      ip,
      family,
      'route',
      'replace',
      wide[n]!,
      'dev',
      near.device,
      'table',
      '7778',
    ]);
    orders.push(['end', ip, family, 'route', 'del', wide[n]!, 'dev', near.device, 'table', '7778']);
    const used = port();
    list.push(
      udp(aim.to, used, `${aim.name} ${aim.to}`, 'tunnel', {
        what: 'UDP through a widened tunnel',
        by: 'tunnel',
        arguments: { to: aim.to, port: used, dev: near.device, needs: 'wide' },
      }),
    );
  }
  return list;
}
