/**
 * The subcommands of Cassandra 5.0's nodetool that read and change nothing, with the options each takes. Control refuses
 * with it early, the node for good. What isn't here isn't run: an option may lead elsewhere (`-h`, `-p`) or read a file
 * (`-pwf`), and some subcommands write with one option more (`toppartitions --interval`).
 */
interface Subcommand {
  /** Options without a value. */
  readonly flags?: readonly string[];
  /** Options with one. */
  readonly values?: readonly string[];
  /** How many plain arguments at most. */
  readonly plain?: number;
}

const resolve = ['-r', '--resolve-ip'];
const human = ['-H', '--human-readable'];
const format = ['-F', '--format'];
const throughput = ['-d', '--precise-mbit', '-e', '--entire-sstable-throughput', '-m', '--mib'];

export const nodetoolReads: Readonly<Record<string, Subcommand>> = {
  compactionhistory: { values: format },
  compactionstats: { flags: [...human, '-V', '--vtable'] },
  describecluster: {},
  describering: { plain: 1 },
  failuredetector: {},
  gcstats: {},
  getcompactionthreshold: { plain: 2 },
  getcompactionthroughput: { flags: ['-d', '--precise-mib'] },
  getconcurrentcompactors: {},
  getendpoints: { plain: 3 },
  getinterdcstreamthroughput: { flags: throughput },
  getlogginglevels: {},
  getsstables: { flags: ['-hf', '--hex-format', '-l', '--show-levels'], plain: 3 },
  getstreamthroughput: { flags: throughput },
  gettimeout: { plain: 1 },
  gettraceprobability: {},
  gossipinfo: { flags: resolve },
  info: { flags: ['-O', '--out-of-range-ops', '-T', '--tokens'] },
  listsnapshots: { flags: ['-e', '--ephemeral', '-nt', '--no-ttl'] },
  netstats: { flags: human },
  proxyhistograms: {},
  rangekeysample: {},
  ring: { flags: resolve, plain: 1 },
  status: { flags: resolve, plain: 1 },
  statusbackup: {},
  statusbinary: {},
  statusgossip: {},
  statushandoff: {},
  tablehistograms: { plain: 2 },
  tablestats: {
    flags: [...human, '-i', '-l', '--sstable-location-check'],
    values: [...format, '-s', '--sort', '-t', '--top'],
    plain: 100,
  },
  toppartitions: { values: ['-a', '-k', '-s'], plain: 3 },
  tpstats: { values: format },
  version: { flags: ['-v', '--verbose'] },
  viewbuildstatus: { plain: 2 },
};

const longestArgument = 1_000;

/**
 * The arguments as nodetool gets them: options first, then `--`, so that a plain argument is never taken for an option.
 * A string instead says why they are refused, and what is offered.
 */
export function nodetoolArguments(given: readonly string[]): readonly string[] | string {
  const [name, ...rest] = given;
  if (name === undefined || name === '') return `No subcommand of nodetool is named. ${offered}`;
  const shape = Object.hasOwn(nodetoolReads, name) ? nodetoolReads[name]! : undefined;
  if (!shape)
    return `'nodetool ${name.slice(0, 60)}' is not offered: only subcommands that read are. ${offered}`;
  const options: string[] = [];
  const plain: string[] = [];
  for (let index = 0; index < rest.length; index++) {
    const argument = rest[index]!;
    if (argument.length > longestArgument || argument.includes('\0'))
      return `An argument of 'nodetool ${name}' is longer than ${longestArgument} characters, or holds a NUL.`;
    if (!argument.startsWith('-') || /^-\d+$/.test(argument)) plain.push(argument);
    else if (shape.flags?.includes(argument)) options.push(argument);
    else if (shape.values?.includes(argument)) {
      const value = rest[++index];
      if (value === undefined || value.startsWith('-') || value.length > longestArgument)
        return `The option ${argument} of 'nodetool ${name}' takes a value.`;
      options.push(argument, value);
    } else return `'nodetool ${name}' takes no option ${argument.slice(0, 60)} here. ${optionsOf(shape)}`;
  }
  const most = shape.plain ?? 0;
  if (plain.length > most)
    return `'nodetool ${name}' takes ${most === 0 ? 'no' : `at most ${most}`} plain ${most === 1 ? 'argument' : 'arguments'}, not ${plain.length}.`;
  return [name, ...options, ...(plain.length > 0 ? ['--', ...plain] : [])];
}

const offered = `Offered are: ${Object.keys(nodetoolReads).join(', ')}.`;

function optionsOf({ flags = [], values = [] }: Subcommand): string {
  const all = [...flags, ...values];
  return all.length === 0 ? 'It takes none.' : `It takes: ${all.join(', ')}.`;
}
