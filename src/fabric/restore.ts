/** A machine's own rules and interfaces, and what puts them back after its root has changed them. Pure. */
export interface Snapshot {
  /** `nft -s list ruleset`. */
  readonly rules: string;
  readonly addresses: readonly {
    readonly ifname: string;
    readonly flags: readonly string[];
    readonly addr_info: readonly {
      readonly local: string;
      readonly prefixlen: number;
      readonly scope: string;
      readonly noprefixroute?: boolean;
    }[];
  }[];
  /** Of the main table, IPv4. */
  readonly routes: readonly {
    readonly dst: string;
    readonly gateway?: string;
    readonly dev?: string;
    readonly protocol?: string;
    readonly scope?: string;
  }[];
}

export interface RestorePlan {
  /** `ip -batch` lines: devices that were not there go, the others are raised or lowered as they were. */
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  /** One transaction: never a moment without rules in it. */
  readonly rules: string;
}

export function restorePlan(before: Snapshot, now: Snapshot): RestorePlan {
  const isUp = (snapshot: Snapshot, name: string): boolean =>
    snapshot.addresses.some(({ ifname, flags }) => ifname === name && flags.includes('UP'));
  const known = new Set(before.addresses.map(({ ifname }) => ifname));
  const there = new Set(now.addresses.map(({ ifname }) => ifname));
  const common = [...known].filter((name) => there.has(name));
  const links = [
    ...[...there].filter((name) => !known.has(name)).map((name) => `link del ${name}`),
    ...common
      .filter((name) => isUp(before, name) !== isUp(now, name))
      .map((name) => `link set ${name} ${isUp(before, name) ? 'up' : 'down'}`),
  ];
  const was = addressLines(before).filter(({ device }) => there.has(device));
  const is = addressLines(now).filter(({ device }) => known.has(device));
  const wasRoutes = before.routes.filter(ours).map(routeLine);
  const isRoutes = now.routes.filter(ours).map(routeLine);
  return {
    links,
    addresses: [
      ...is
        .filter(({ line }) => !was.some((other) => other.line === line))
        .map(({ line }) => `addr del ${line}`),
      ...was
        .filter(({ line }) => !is.some((other) => other.line === line))
        .map(({ line }) => `addr replace ${line}`),
      ...isRoutes.filter((line) => !wasRoutes.includes(line)).map((line) => `route del ${line}`),
      ...wasRoutes.filter((line) => !isRoutes.includes(line)).map((line) => `route replace ${line}`),
    ],
    rules: `flush ruleset\n${before.rules}`,
  };
}

const addressLines = (snapshot: Snapshot) =>
  snapshot.addresses.flatMap(({ ifname, addr_info }) =>
    addr_info
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen }) => ({ device: ifname, line: `${local}/${prefixlen} dev ${ifname}` })),
  );

/** Routes that came with an address come back with it. */
const ours = (route: Snapshot['routes'][number]): boolean => route.protocol !== 'kernel';
const routeLine = ({ dst, gateway, dev }: Snapshot['routes'][number]): string =>
  [dst, ...(gateway ? ['via', gateway] : []), ...(dev ? ['dev', dev] : [])].join(' ');
