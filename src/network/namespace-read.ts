import { readdir } from 'node:fs/promises';
import { exec } from '../lib/exec.ts';
import type { NamespaceIs } from './namespace.ts';
import { readMarks } from './nft.ts';

/** Where named network namespaces have their handles. */
export const namespaceFolder = '/run/netns';
export const namespacePath = (name: string): string => `${namespaceFolder}/${name}`;

/** Names of the network namespaces there are. */
export async function readNamespaceNames(): Promise<readonly string[]> {
  try {
    return await readdir(namespaceFolder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const questions = [
  'link show',
  'addr show',
  'route show table all proto static',
  'rule show',
  'neigh show nud permanent',
];

export async function readNamespace(name: string, signal?: AbortSignal): Promise<NamespaceIs> {
  const [{ stdout }, tables] = await Promise.all([
    exec('ip', ['-n', name, '-j', '-batch', '-'], {
      input: `${questions.join('\n')}\n`,
      ...(signal && { signal }),
    }),
    readMarks(namespacePath(name), signal),
  ]);
  return { ...parseNamespace(stdout), tables };
}

interface JsonLink {
  readonly ifname: string;
  readonly address: string;
  readonly flags: readonly string[];
}
interface JsonAddress {
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
    readonly scope: string;
  }[];
}
interface JsonRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly table?: string;
  readonly metric?: number;
  readonly flags: readonly string[];
}
interface JsonRule {
  readonly iif?: string;
  readonly table: string;
}
interface JsonNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr: string;
}

/** The answers of `ip -j -batch` to the questions above, a JSON array a line, in the words that a plan uses. */
export function parseNamespace(text: string): Omit<NamespaceIs, 'tables'> {
  const [links, addresses, routes, rules, neighbours] = text
    .trim()
    .split(/\n(?=\[)/)
    .map((part) => JSON.parse(part) as unknown) as [
    JsonLink[],
    JsonAddress[],
    JsonRoute[],
    JsonRule[],
    JsonNeighbour[],
  ];
  return {
    devices: links
      .filter(({ ifname }) => ifname !== 'lo')
      .map(({ ifname, address, flags }) => ({ name: ifname, mac: address, up: flags.includes('UP') })),
    addresses: addresses.flatMap(({ ifname, addr_info }) =>
      addr_info
        .filter(({ family, scope }) => family === 'inet' && scope === 'global')
        .map(({ local, prefixlen }) => `${local}/${prefixlen} dev ${ifname}`),
    ),
    routes: routes.filter(({ dst }) => !dst.includes(':')).map(routeLine),
    rules: rules.filter(({ iif }) => iif !== undefined).map(({ iif, table }) => `iif ${iif} lookup ${table}`),
    neighbours: neighbours.map(({ dst, lladdr, dev }) => `${dst} lladdr ${lladdr} dev ${dev}`),
  };
}

function routeLine(route: JsonRoute): string {
  const target = route.dst === 'default' || route.dst.includes('/') ? route.dst : `${route.dst}/32`;
  return [
    ...(route.type ? [route.type] : []),
    target,
    ...(route.gateway ? ['via', route.gateway] : []),
    ...(route.dev ? ['dev', route.dev] : []),
    ...(route.flags.includes('onlink') ? ['onlink'] : []),
    ...(route.table ? ['table', route.table] : []),
    ...(route.metric ? ['metric', String(route.metric)] : []),
  ].join(' ');
}
