import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { ports } from '../../network/ports.ts';
import { cluster, optionalGroup } from '../arm/options.ts';
import { defineCommand, type Outcome } from '../command.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { accessTo, findCluster } from '../cql/cluster.ts';
import { renderTable } from '../output/table.ts';
import { enterApplication } from '../stack/fabric.ts';
import { forwardNodes } from './listen.ts';

export const connect = defineCommand({
  path: 'connect',
  summary: 'Run a program of this host inside the customer’s network, or forward its nodes to loopback.',
  examples: ['connect -- ip route', 'connect --listen'],
  options: {
    listen: {
      kind: 'switch',
      flags: ['--listen'],
      help: 'Forward each node to a port on loopback, until Ctrl-C.',
    },
    network: {
      kind: 'text',
      flags: ['--network'],
      help: 'Which virtual network, where there are several: its name or id.',
    },
    cluster,
    group: optionalGroup,
  },
  rest: { name: 'command', help: 'The program and its arguments, after --.', passThrough: true },
  async run(cx, options, rest) {
    if (options.listen) return listen(cx, options);
    if (rest.length === 0)
      throw new UsageError(
        'There is nothing to run.',
        'sallyport connect -- CMD, or sallyport connect --listen',
      );
    const { command, args } = await enterApplication(cx.home, options.network, rest);
    const child = spawn(command, args, { stdio: 'inherit' });
    // Ctrl-C goes to the whole foreground group: the program decides what it means, we wait for it.
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { value: undefined, human: '', exitCode: signal ? 128 + constants.signals[signal] : (code ?? 1) };
  },
});

async function listen(
  cx: CliContext,
  options: { readonly cluster: string | undefined; readonly group: string | undefined },
): Promise<Outcome> {
  const client = await cx.arm();
  const access = await accessTo(client, await findCluster(client, options));
  const forwards = await forwardNodes(cx, access.network, access.nodes, ports.cql);
  const rows = forwards.map(({ node, port }) => [`${node}:${ports.cql}`, `127.0.0.1:${port}`]);
  cx.stdout(`${renderTable(['Node', 'Forwarded to'], rows)}\n\n${driverHelp(access.dataCenter)}\n`);
  if (!cx.signal.aborted) await once(cx.signal, 'abort');
  for (const { server } of forwards) server.close();
  return { value: undefined, human: '' };
}

/** A token-aware driver learns the nodes' own addresses from the ring: it must be told where each is to be found. */
const driverHelp = (dataCenter: string): string => `A token-aware driver needs, besides user and password:
  contact points       any of the forwarded addresses
  local data centre    ${dataCenter}
  address translator   each node's own address to its forwarded one (the table)
  TLS                  the cluster's own authority, and the node's address as name:
    sallyport managed-cassandra cluster show -g GROUP -c CLUSTER \\
      --query "properties.clientCertificateAuthorities[0].pem" -o tsv
Ctrl-C ends the forwarding.`;
