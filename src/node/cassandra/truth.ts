import { readFile, statfs } from 'node:fs/promises';
import type { CassandraReport } from '../../exchange/intents/node.ts';
import type { Jolokia, Question } from './jolokia.ts';

export const storageService = 'org.apache.cassandra.db:type=StorageService';
const snitch = 'org.apache.cassandra.db:type=EndpointSnitchInfo';
const load = 'org.apache.cassandra.metrics:type=Storage,name=Load';

const questions: readonly Question[] = [
  ...[
    'OperationMode',
    'NativeTransportRunning',
    'LiveNodes',
    'UnreachableNodes',
    'LocalHostId',
    'Tokens',
    'ReleaseVersion',
    'LeavingNodes',
    'AuditLogEnabled',
  ].map((attribute) => ({ mbean: storageService, attribute })),
  { mbean: snitch, attribute: 'Rack' },
  { mbean: load, attribute: 'Count' },
];

type Ring = Pick<
  CassandraReport,
  'mode' | 'nativeTransport' | 'live' | 'unreachable' | 'hostId' | 'tokens' | 'version' | 'rack' | 'load'
> & { readonly auditLog: boolean | null };

export const noRing: Ring = {
  mode: null,
  nativeTransport: false,
  live: [],
  unreachable: [],
  hostId: null,
  tokens: [],
  version: null,
  rack: null,
  load: null,
  auditLog: null,
};

/** The ring as this node sees it; {@link noRing} while nothing answers. */
export async function readRing(jolokia: Jolokia, address: string): Promise<Ring> {
  const values = await jolokia.read(questions).catch(() => undefined);
  if (!values) return noRing;
  const [mode, native, live, unreachable, hostId, tokens, version, leaving, audit, rack, bytes] = values;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    mode: modeOf(text(mode), strings(leaving).includes(address)),
    nativeTransport: native === true,
    live: strings(live),
    unreachable: strings(unreachable),
    hostId: text(hostId),
    tokens: strings(tokens),
    version: text(version),
    rack: text(rack),
    load: typeof bytes === 'number' ? bytes : null,
    auditLog: typeof audit === 'boolean' ? audit : null,
  };
}

/**
 * A decommission that Cassandra refused has changed nothing, and yet it says DECOMMISSION_FAILED until its next start: the
 * node is in the ring as it was. One that failed on its way out is another thing.
 */
export const modeOf = (mode: string | null, leaves: boolean): string | null =>
  mode === decommissionFailed && !leaves ? 'NORMAL' : mode;

export const decommissionFailed = 'DECOMMISSION_FAILED';

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export type HostFigures = Pick<
  CassandraReport,
  | 'memoryUsedKB'
  | 'memoryTotalKB'
  | 'memoryFreeKB'
  | 'memoryBuffersAndCachedKB'
  | 'diskUsedKB'
  | 'diskFreeKB'
  | 'cpuUsage'
>;

/** Reads memory, disk and processor of the machine; `cpuUsage` in percent since the call before. */
export function createHostReader(folder: string): () => Promise<HostFigures> {
  let before: { readonly busy: number; readonly all: number } | undefined;
  return async () => {
    const [memory, cpu, disk] = await Promise.all([
      readFile('/proc/meminfo', 'utf8').catch(() => ''),
      readFile('/proc/stat', 'utf8').catch(() => ''),
      statfs(folder).catch(() => undefined),
    ]);
    const now = parseCpu(cpu);
    const elapsed = before && now ? now.all - before.all : 0;
    const cpuUsage =
      before && now && elapsed > 0 ? Math.round(((now.busy - before.busy) / elapsed) * 1000) / 10 : null;
    before = now;
    const kilobytes = (blocks: number): number => Math.round((blocks * (disk?.bsize ?? 0)) / 1024);
    return {
      ...parseMemory(memory),
      diskUsedKB: disk ? kilobytes(disk.blocks - disk.bfree) : null,
      diskFreeKB: disk ? kilobytes(disk.bavail) : null,
      cpuUsage,
    };
  };
}

export function parseMemory(
  text: string,
): Pick<HostFigures, 'memoryUsedKB' | 'memoryTotalKB' | 'memoryFreeKB' | 'memoryBuffersAndCachedKB'> {
  const of = (name: string): number | null => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const [total, free] = [of('MemTotal'), of('MemFree')];
  const cached = (of('Buffers') ?? 0) + (of('Cached') ?? 0) + (of('SReclaimable') ?? 0);
  if (total === null || free === null) {
    return { memoryUsedKB: null, memoryTotalKB: null, memoryFreeKB: null, memoryBuffersAndCachedKB: null };
  }
  return {
    memoryUsedKB: Math.max(0, total - free - cached),
    memoryTotalKB: total,
    memoryFreeKB: free,
    memoryBuffersAndCachedKB: cached,
  };
}

function parseCpu(text: string): { readonly busy: number; readonly all: number } | undefined {
  const fields = /^cpu\s+([\d ]+)/.exec(text)?.[1]?.trim().split(/\s+/).map(Number);
  if (!fields || fields.length < 5) return undefined;
  const all = fields.slice(0, 8).reduce((sum, field) => sum + field, 0);
  return { all, busy: all - fields[3]! - fields[4]! };
}
