/**
 * What a network namespace shall be, as data; what it is, as it was read; and the difference between the two. Pure.
 */
import { planMark, tableKey, type TableMark } from './nft.ts';
import type { NftTable } from './nft-table.ts';

/** One end of a cable. `far`: the namespace, or the process in whose namespace the other end lies. */
export interface DeviceShall {
  readonly name: string;
  readonly mac: string;
  readonly far:
    | { readonly namespace: string; readonly device: string; readonly mac: string }
    | { readonly pid: number; readonly device: string; readonly mac: string };
  /** Below net.ipv4 (`conf.DEV.proxy_arp`). */
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface NamespaceShall {
  readonly name: string;
  /** Set once, before there is any device. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** `ip -batch` lines for what is set once and never differs, by family. */
  readonly setup: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
  readonly devices: readonly DeviceShall[];
  /** `100.64.0.2/30 dev inet0` */
  readonly addresses: readonly string[];
  /** `10.0.2.5/32 dev m1`, `blackhole 10.0.0.0/8`, `default via 169.254.1.1 dev vop onlink table 100` */
  readonly routes: readonly string[];
  /** `169.254.1.1 lladdr 02:… dev vop` */
  readonly neighbours: readonly string[];
  /** `iif pe0 lookup 100` */
  readonly rules: readonly string[];
  readonly tables: readonly NftTable[];
}

export interface NamespaceIs {
  readonly devices: readonly { readonly name: string; readonly mac: string; readonly up: boolean }[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
  readonly rules: readonly string[];
  /** Marks of the tables as listed now. */
  readonly tables: ReadonlyMap<string, string>;
}

export interface NamespacePlan {
  readonly name: string;
  readonly create: boolean;
  /** Tables that don't hang on a device: they stand before there is one. */
  readonly inet: readonly NftTable[];
  readonly netdev: readonly NftTable[];
  readonly dropTables: readonly string[];
  readonly addDevices: readonly DeviceShall[];
  readonly dropDevices: readonly string[];
  /** Devices to be brought up, once their tables stand. */
  readonly raise: readonly DeviceShall[];
  /** `ip -batch` lines, in order. */
  readonly lines: readonly string[];
  readonly changes: number;
}

export const bare: NamespaceIs = {
  devices: [],
  addresses: [],
  routes: [],
  neighbours: [],
  rules: [],
  tables: new Map(),
};

/**
 * `is` undefined: there is no such namespace. `marks`: what was put in place by us. A far end that is elsewhere than it
 * shall be can't be told from here: machines that start again bring new devices, as the old ones died with their namespace.
 */
export function planNamespace(
  shall: NamespaceShall,
  is: NamespaceIs | undefined,
  marks: ReadonlyMap<string, TableMark>,
): NamespacePlan {
  const now = is ?? bare;
  const differs = (table: NftTable): boolean => {
    const mark = marks.get(tableKey(table));
    return (
      mark === undefined || mark.plan !== planMark(table) || mark.listed !== now.tables.get(tableKey(table))
    );
  };
  const changed = shall.tables.filter(differs);
  const keys = new Set(shall.tables.map(tableKey));
  const sound = new Set(
    now.devices
      .filter((device) => shall.devices.some((want) => want.name === device.name && want.mac === device.mac))
      .map(({ name }) => name),
  );
  const dropDevices = now.devices.filter(({ name }) => !sound.has(name)).map(({ name }) => name);
  const addDevices = shall.devices.filter(({ name }) => !sound.has(name));
  const up = new Set(
    now.devices.filter((device) => device.up && sound.has(device.name)).map(({ name }) => name),
  );
  // A device's netdev chains die with it: what is made anew gets its tables anew.
  const fresh = addDevices.map(({ name }) => name);
  const netdev = shall.tables.filter(
    (table) =>
      table.family === 'netdev' &&
      (changed.includes(table) || fresh.some((name) => table.name.endsWith(`_${name}`))),
  );
  const raise = shall.devices.filter(({ name }) => !up.has(name));
  // A route that takes another's place does so in one step: between the two there is no moment without either.
  const places = new Set(shall.routes.map(placeOf));
  const lines = [
    ...now.rules.filter((rule) => !shall.rules.includes(rule)).map((rule) => `rule del ${rule}`),
    ...now.routes
      .filter((route) => !shall.routes.includes(route) && !places.has(placeOf(route)))
      .filter((route) => !dropDevices.some((name) => mentions(route, name)))
      .map((route) => `route del ${route}`),
    ...now.addresses
      .filter(
        (address) =>
          !shall.addresses.includes(address) && !dropDevices.some((name) => mentions(address, name)),
      )
      .map((address) => `addr del ${address}`),
    ...shall.addresses
      .filter((address) => !now.addresses.includes(address) || onFresh(address, fresh))
      .map((address) => `addr replace ${address}`),
    ...shall.neighbours
      .filter((line) => !now.neighbours.includes(line) || onFresh(line, fresh))
      .map((line) => `neigh replace ${line} nud permanent`),
    ...shall.routes
      .filter((route) => !now.routes.includes(route) || onFresh(route, fresh))
      .map((route) => `route replace ${route} proto static`),
    ...shall.rules.filter((rule) => !now.rules.includes(rule)).map((rule) => `rule add ${rule}`),
  ];
  const inet = changed.filter((table) => table.family === 'inet');
  const dropTables = [...now.tables.keys()].filter((key) => !keys.has(key));
  return {
    name: shall.name,
    create: is === undefined,
    inet,
    netdev,
    dropTables,
    addDevices,
    dropDevices,
    raise,
    lines,
    changes:
      (is === undefined ? 1 : 0) +
      inet.length +
      netdev.length +
      dropTables.length +
      dropDevices.length +
      raise.length +
      lines.length,
  };
}

/**
 * Tables that somebody else has changed, taken away or added since we put ours in place. What hangs on a device that is
 * gone went with it, and is nobody's doing.
 */
export function changedByOthers(
  shall: NamespaceShall,
  is: NamespaceIs | undefined,
  marks: ReadonlyMap<string, TableMark>,
): readonly string[] {
  if (!is) return [];
  const ours = shall.tables.filter((table) => {
    const mark = marks.get(tableKey(table));
    const listed = is.tables.get(tableKey(table));
    if (mark === undefined || mark.plan !== planMark(table) || mark.listed === listed) return false;
    return listed !== undefined || table.family === 'inet';
  });
  const known = new Set(shall.tables.map(tableKey));
  const foreign = [...is.tables.keys()].filter((key) => !known.has(key) && !marks.has(key));
  return marks.size === 0 ? [] : [...ours.map(tableKey), ...foreign];
}

const mentions = (line: string, device: string): boolean => ` ${line} `.includes(` dev ${device} `);
const onFresh = (line: string, fresh: readonly string[]): boolean =>
  fresh.some((name) => mentions(line, name));

/** What a route is found by: destination, table and metric. */
function placeOf(route: string): string {
  const words = route.split(' ');
  const destination = ['blackhole', 'throw'].includes(words[0]!) ? words[1] : words[0];
  const named = (word: string): string => (words.includes(word) ? words[words.indexOf(word) + 1]! : '');
  return [destination, named('table'), named('metric')].join(' ');
}
