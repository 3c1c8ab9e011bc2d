import { finish } from '../arm/operation.ts';
import { cluster, group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';

export const invokeCommand = defineCommand({
  path: 'managed-cassandra cluster invoke-command',
  summary: 'Run nodetool, where it only reads, on one node, and print what it says.',
  examples: [
    'managed-cassandra cluster invoke-command -g vpn-test-rg -c vpn-test-cluster --host 10.0.2.4 -- status -r',
    'managed-cassandra cluster invoke-command -g vpn-test-rg -c vpn-test-cluster --host 10.0.2.4 -- tpstats -F=json',
  ],
  options: {
    cluster: { ...cluster, required: true },
    group,
    host: { kind: 'text', flags: ['--host'], help: 'Address of the node.', required: true },
    command: { kind: 'text', flags: ['--command-name'], help: 'nodetool, which is the default.' },
  },
  rest: {
    name: 'word',
    help: 'The subcommand and its own words; an option with a value as -F=json.',
    passThrough: true,
  },
  async run(cx, options, rest) {
    if (rest.length === 0)
      throw new UsageError('No subcommand of nodetool is named.', 'Write it after --, as in: -- status -r');
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    const body = {
      command: options.command ?? 'nodetool',
      host: options.host,
      arguments: Object.fromEntries(rest.map(pair)),
    };
    const first = await client.send('POST', `${id}/invokeCommand`, body);
    const what = `nodetool ${rest[0]!} on ${options.host}`;
    const value = await finish(client, first, { what, id, progress: cx.progress });
    const { commandOutput, exitCode } = value;
    return {
      value,
      human: typeof commandOutput === 'string' ? commandOutput : '',
      exitCode: exitCode === 0 ? 0 : 1,
    };
  },
});

function pair(word: string): readonly [string, string] {
  const at = word.startsWith('-') ? word.indexOf('=') : -1;
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}
