import { defineCommand } from '../command.ts';
import { connectionId, connectionOptions } from './target.ts';

export const show = defineCommand({
  path: 'network private-endpoint-connection show',
  summary: 'Show a connection as its service’s owner sees it.',
  examples: ['network private-endpoint-connection show --id CONNECTION-ID --as provider'],
  options: connectionOptions,
  async run(cx, options) {
    const client = await cx.arm();
    return { value: await client.get(connectionId(client, options)) };
  },
});
