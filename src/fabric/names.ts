import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Short names for what the kernel bounds (15 bytes for a device), derived from the ids of the intent, so that they are
 * the same after a restart and nothing of an id reaches a command line.
 */
export const shortName = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 12);

/** The router's end of a machine's cable. */
export const machineDevice = (machineId: string): string => `m${shortName(machineId)}`;
export const routerNamespace = (networkId: string): string => `vnet-${shortName(networkId)}`;
export const linkNamespace = (linkId: string): string => `link-${shortName(linkId)}`;
/** The consumer's and the provider's router's ends of a link's cables. */
export const consumerDevice = (linkId: string): string => `c${shortName(linkId)}`;
export const providerDevice = (linkId: string): string => `p${shortName(linkId)}`;
/** A network's cable to the internet, at the internet's end. */
export const uplinkDevice = (networkId: string): string => `n${shortName(networkId)}`;
/** The cable between two networks that are peers: the same name at both ends, whichever is named first. */
export const peeringDevice = (networkId: string, otherId: string): string =>
  `x${shortName([networkId, otherId].sort().join(' '))}`;

/** A locally administered address for one end of a cable. */
export function macOf(end: string): string {
  const hex = createHash('sha256').update(end).digest('hex');
  return ['02', ...(hex.slice(0, 10).match(/../g) ?? [])].join(':');
}

/** A folder's name for a machine: its id where that is a plain word. */
export const diskName = (machineId: string): string =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(machineId)
    ? machineId
    : `${machineId.replace(/[^A-Za-z0-9]+/g, '-').slice(-40)}-${shortName(machineId)}`;

/** Where things lie: on disk below the home, and inside the fabric's own mount namespace. */
export const fabricPaths = (home: string) =>
  ({
    socket: join(home, 'control/doors/fabric/sock'),
    operatorDoors: join(home, 'control/doors/operators'),
    tools: join(home, 'tools/tools.json'),
    intent: join(home, 'fabric/intent.json'),
    state: join(home, 'fabric/state.json'),
    numbers: join(home, 'fabric/numbers.json'),
    work: join(home, 'fabric/work'),
    machines: join(home, 'fabric/machines'),
  }) as const;

export type FabricPaths = ReturnType<typeof fabricPaths>;

/** A tmpfs that dies with the fabric's namespaces: what holds true only as long as they do. */
export const ground = '/run/sallyport';
