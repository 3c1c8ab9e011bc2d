import { parseAnswer, type Answer } from './batch.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';
import type { Facts, Tunnel } from './facts.ts';

const ip = '/usr/sbin/ip';
export const lookOrders: readonly (readonly string[])[] = [
  ['show', 'addresses', ip, '-j', 'address'],
  ['show', 'routes', ip, '-j', 'route'],
  ['show', 'routes6', ip, '-6', 'route'],
  ['show', 'rules', '/usr/sbin/nft', '-s', 'list', 'ruleset'],
  ['show', 'allowed', '/usr/bin/wg', 'show', 'all', 'allowed-ips'],
  ['show', 'handshakes', '/usr/bin/wg', 'show', 'all', 'latest-handshakes'],
];

export async function look(world: VerifyWorld, machine: WorldMachine, program: string): Promise<Facts> {
  const orders = lookOrders.map((order) => order.join('\t')).join('\n');
  const said = await world.enter(machine.id, ['/usr/bin/perl', '-'], {
    as: 'root',
    input: `${program}${orders}\n`,
    timeoutMs: 10_000,
  });
  return factsOf(machine, parseAnswer(said.stdout));
}

interface IpAddress {
  readonly ifname: string;
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly scope: string;
    readonly prefixlen: number;
  }[];
}
interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
}

/** Throws where the machine has no interface with its address: nothing can be tried from it then. */
export function factsOf(machine: WorldMachine, answer: Answer): Facts {
  const text = (key: string): string => answer.shown.get(key)?.text ?? '';
  const interfaces = json<IpAddress[]>(text('addresses'), machine);
  const holds = (i: IpAddress): boolean => (i.addr_info ?? []).some((a) => a.local === machine.address);
  const device = interfaces.find(holds)?.ifname;
  if (!device) throw new Error(`${machine.hostname} has no interface with its address ${machine.address}.`);
  const routes = json<IpRoute[]>(text('routes'), machine);
  return {
    device,
    gateway: routes.find((r) => r.dst === 'default')?.gateway ?? null,
    tunnel: tunnelOf(interfaces, text('allowed'), text('handshakes')),
    rules: answer.shown.get('rules')?.exitCode === 0 ? withoutCounts(text('rules')) : '',
    interfaces: [
      ...interfaces.flatMap((i) => (i.addr_info ?? []).map((a) => `${i.ifname} ${a.local}/${a.prefixlen}`)),
      ...routes.map((r) => `${r.dst} ${r.gateway ?? ''}`),
      ...text('routes6')
        .split('\n')
        .filter((line) => !line.startsWith('fe80:')),
    ]
      .sort()
      .join('\n'),
  };
}

function json<T>(text: string, machine: WorldMachine): T {
  try {
    return JSON.parse(text || '[]') as T;
  } catch (cause) {
    throw new Error(`${machine.hostname} does not say what its interfaces are.`, { cause });
  }
}

/** `wg show all …` prints one line a peer: device, public key, value. */
function tunnelOf(interfaces: readonly IpAddress[], allowed: string, handshakes: string): Tunnel | null {
  const rows = (text: string): string[][] =>
    text.split('\n').flatMap((line) => (line.includes('\t') ? [line.split('\t')] : []));
  const times = new Map(rows(handshakes).map(([device, key, time]) => [`${device} ${key}`, Number(time)]));
  for (const { ifname, addr_info } of interfaces) {
    const peers = rows(allowed).filter(([device]) => device === ifname);
    const address = addr_info?.find((a) => a.family === 'inet6' && a.scope === 'global')?.local;
    if (peers.length === 0 || !address) continue;
    return {
      device: ifname,
      address,
      peers: peers.map(([device, key, prefixes]) => ({
        publicKey: key!,
        allowedIps: (prefixes ?? '').split(' ').filter((p) => p.includes('/')),
        latestHandshake: times.get(`${device} ${key}`) ?? 0,
      })),
    };
  }
  return null;
}

const withoutCounts = (rules: string): string =>
  rules.replaceAll(/ ?counter( packets \d+ bytes \d+)?| expires \S+/g, '').trim();
