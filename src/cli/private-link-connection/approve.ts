import { defineCommand } from '../command.ts';
import { decide } from './decide.ts';
import { connectionId, connectionOptions, description } from './target.ts';

export const approve = defineCommand({
  path: 'network private-endpoint-connection approve',
  summary: 'Approve a connection: from then on packets pass.',
  examples: [
    'network private-endpoint-connection approve --id CONNECTION-ID --description "ok" --as provider',
  ],
  options: { ...connectionOptions, description },
  async run(cx, options) {
    const client = await cx.arm();
    return {
      value: await decide(
        client,
        connectionId(client, options),
        'Approved',
        options.description,
        cx.progress,
      ),
    };
  },
});
