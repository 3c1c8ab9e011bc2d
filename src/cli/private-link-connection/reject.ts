import { defineCommand } from '../command.ts';
import { decide } from './decide.ts';
import { connectionId, connectionOptions, description } from './target.ts';

export const reject = defineCommand({
  path: 'network private-endpoint-connection reject',
  summary: 'Reject a connection: what passes is cut; it may be approved again.',
  examples: [
    'network private-endpoint-connection reject --id CONNECTION-ID --description "not expected" --as provider',
  ],
  options: { ...connectionOptions, description },
  async run(cx, options) {
    const client = await cx.arm();
    return {
      value: await decide(
        client,
        connectionId(client, options),
        'Rejected',
        options.description,
        cx.progress,
      ),
    };
  },
});
