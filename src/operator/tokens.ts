/**
 * Preset tokens: Cassandra's own allocator spreads them once for all nodes of a data centre, and they are kept. Nodes with
 * preset tokens can start together, where bootstrapping ones would have to wait for each other.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperatorDataCenter } from '../exchange/intents/operator.ts';
import { exec } from '../lib/exec.ts';

const tokensPerNode = 16;

/** For which nodes in which racks tokens are good; others need others. */
export const tokensKey = (dataCenter: OperatorDataCenter): string =>
  dataCenter.nodes.map((node) => `${node.name}=${node.rack}`).join(',');

/** The racks in order of appearance, and how many nodes each has. */
export function racksOf(
  dataCenter: OperatorDataCenter,
): readonly { readonly rack: string; readonly nodes: readonly string[] }[] {
  const racks = new Map<string, string[]>();
  for (const node of dataCenter.nodes) racks.set(node.rack, [...(racks.get(node.rack) ?? []), node.name]);
  return [...racks].map(([rack, nodes]) => ({ rack, nodes }));
}

/** `Node 0 rack 2: [-1, 5, …]` lines to node name → tokens. Throws unless each node got its full number, each token once. */
export function assignTokens(
  dataCenter: OperatorDataCenter,
  output: string,
): Record<string, readonly string[]> {
  const left = racksOf(dataCenter).map(({ nodes }) => [...nodes]);
  const tokens: Record<string, readonly string[]> = {};
  for (const match of output.matchAll(/^Node \d+ rack (\d+): \[([-\d, ]+)\]$/gm)) {
    const name = left[Number(match[1])]?.shift();
    if (name === undefined)
      throw new Error(`GenerateTokens named a node that rack ${match[1]} doesn't have.`);
    tokens[name] = match[2]!.split(', ');
  }
  const all = Object.values(tokens).flat();
  if (
    left.flat().length > 0 ||
    all.length !== dataCenter.nodes.length * tokensPerNode ||
    new Set(all).size !== all.length
  ) {
    throw new Error(
      `GenerateTokens gave ${all.length} tokens for ${dataCenter.nodes.length} nodes: ${output.slice(0, 300)}`,
    );
  }
  return tokens;
}

/** The allocator wants a whole configuration, and uses only the partitioner of it. */
const configuration = `cluster_name: tokens
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
endpoint_snitch: SimpleSnitch
commitlog_sync: periodic
commitlog_sync_period: 10s
seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: 127.0.0.1}]}]
`;
const logging = '<configuration><root level="OFF"/></configuration>\n';

export interface TokenTools {
  readonly javaHome: string;
  /** Folder with `cassandra/lib/*.jar`. */
  readonly tools: string;
  /** A folder of our own for the two small files. */
  readonly scratch: string;
}

export async function generateTokens(
  dataCenter: OperatorDataCenter,
  { javaHome, tools, scratch }: TokenTools,
  signal?: AbortSignal,
): Promise<Record<string, readonly string[]>> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  await writeFile(join(scratch, 'cassandra.yaml'), configuration);
  await writeFile(join(scratch, 'logback.xml'), logging);
  const racks = racksOf(dataCenter).map(({ nodes }) => nodes.length);
  const { stdout } = await exec(
    join(javaHome, 'bin', 'java'),
    [
      ...['-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      `-Dcassandra.config=file://${join(scratch, 'cassandra.yaml')}`,
      `-Dcassandra.storagedir=${scratch}`,
      `-Dlogback.configurationFile=${join(scratch, 'logback.xml')}`,
      ...['-cp', join(tools, 'cassandra', 'lib', '*'), 'org.apache.cassandra.tools.GenerateTokens'],
      ...['-n', String(dataCenter.nodes.length), '-t', String(tokensPerNode)],
      ...['--rf', String(Math.min(3, dataCenter.nodes.length)), '--racks', racks.join(',')],
    ],
    { timeoutMs: 60_000, ...(signal && { signal }) },
  );
  return assignTokens(dataCenter, stdout);
}
