import { UserError } from '../../lib/errors.ts';
import { defineCommand } from '../command.ts';
import { exitCodes, UsageError } from '../errors.ts';
import { askWhy } from './ask.ts';
import { renderWhy } from './text.ts';

export const why = defineCommand({
  path: 'network why',
  summary: 'Say why one machine reaches another or not: the wall, whose it is, what would change it.',
  examples: [
    'network why vpn-test-dc1-1 internet 443',
    'network why app-vpn-test-vnet 10.0.2.4 9042 --protocol tcp -o json',
  ],
  options: {
    protocol: {
      kind: 'text',
      flags: ['--protocol'],
      choices: ['tcp', 'udp', 'icmp'],
      help: 'tcp when left out; icmp takes no port.',
    },
  },
  rest: {
    name: 'from',
    help: 'FROM TO PORT. From: a machine by name, address or ARM id (of it or its NIC). To: likewise, a private endpoint, any IPv4 address, or internet.',
  },
  async run(cx, options, rest) {
    const [from, to, port, more] = rest;
    const icmp = options.protocol === 'icmp';
    if (from === undefined || to === undefined || (port === undefined) !== icmp || more !== undefined)
      throw new UsageError(
        icmp ? 'icmp is asked with FROM and TO, and no port.' : 'FROM, TO and PORT are needed.',
        'sallyport network why FROM TO 9042, or sallyport network why FROM TO --protocol icmp',
      );
    if (port !== undefined && !/^\d{1,5}$/.test(port))
      throw new UserError('InvalidPort', `'${port}' is no port.`, 'Give a number from 1 to 65535.');
    // Every machine is the provider's to ask about; those of networks of their own are the customer's too.
    const client = await cx.arm(
      cx.globals.as === undefined && !cx.env['SALLYPORT_AS'] ? 'provider' : undefined,
    );
    const value = await askWhy(
      client,
      { from, to, protocol: options.protocol ?? 'tcp', ...(port !== undefined && { port: Number(port) }) },
      cx.progress,
    );
    cx.progress.clear();
    const found = value.packet?.outcome === 'opened' || value.packet?.outcome === 'shut';
    return { value, human: renderWhy(value, cx.width), ...(found && { exitCode: exitCodes.failed }) };
  },
});
