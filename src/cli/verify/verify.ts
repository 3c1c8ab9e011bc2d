import { defineCommand } from '../command.ts';
import { exitCodes } from '../errors.ts';
import { renderVerify } from './table.ts';
import { runVerify } from './run.ts';

export const verify = defineCommand({
  path: 'verify',
  summary:
    'Try to get out of every node, and name the wall that stopped each try. Ends with 0 only if proved.',
  examples: ['verify', 'verify --network VNET-ID --as customer --json'],
  options: {
    network: { kind: 'text', flags: ['--network'], help: 'Id of one virtual network; all when left out.' },
    json: { kind: 'switch', flags: ['--json'], help: 'Every try and every control, as JSON.' },
  },
  async run(cx, options) {
    // All networks are the provider's to look at; one of their own is the customer's too.
    const client = await cx.arm(
      options.network === undefined && cx.globals.as === undefined && !cx.env['SALLYPORT_AS']
        ? 'provider'
        : undefined,
    );
    const result = await runVerify(client, options.network, cx.progress);
    cx.progress.clear();
    return {
      value: result,
      ...(!options.json && { human: renderVerify(result, cx.width) }),
      rows: result.tries,
      columns: {
        Machine: 'machine',
        As: 'as',
        Rules: 'rules',
        What: 'what',
        Towards: 'towards',
        Outcome: 'outcome',
        Wall: 'wall',
      },
      exitCode: result.verdict === 'proved' ? 0 : exitCodes.failed,
    };
  },
});
