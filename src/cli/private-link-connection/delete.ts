import { defineCommand } from '../command.ts';
import { yes } from '../arm/options.ts';
import { remove } from '../arm/verbs.ts';
import { connectionId, connectionOptions } from './target.ts';

export const deleteConnection = defineCommand({
  path: 'network private-endpoint-connection delete',
  summary: 'Remove a connection for good: its endpoint is Disconnected from then on.',
  examples: ['network private-endpoint-connection delete --id CONNECTION-ID --as provider --yes'],
  options: { ...connectionOptions, yes },
  async run(cx, options) {
    const client = await cx.arm();
    await remove(cx, client, [connectionId(client, options)], {
      what: 'connection',
      ask: true,
      yes: options.yes,
    });
  },
});
