/** nodetool's subcommands (contract §3.7), and which of them a customer may run: those that read, and nothing of theirs writes. */
import { ArmError } from '../../arm/errors.ts';

export interface ReadingCommand {
  /** Options that stand alone. */
  readonly switches: readonly string[];
  /** Options that take a value. */
  readonly options: readonly string[];
  /** At most so many words without a dash: keyspaces, tables, keys. */
  readonly words: number;
}

const reads = (words = 0, switches = '', options = ''): ReadingCommand => ({
  words,
  switches: switches.split(' ').filter(Boolean),
  options: options.split(' ').filter(Boolean),
});

export const readingCommands: Readonly<Record<string, ReadingCommand>> = {
  compactionhistory: reads(0, '-H --human-readable', '-F --format'),
  compactionstats: reads(0, '-H --human-readable -V --vtable'),
  describecluster: reads(),
  describering: reads(1),
  failuredetector: reads(),
  gcstats: reads(),
  getcompactionthreshold: reads(2),
  getcompactionthroughput: reads(0, '-d --precise-mib'),
  getconcurrentcompactors: reads(),
  getendpoints: reads(3),
  getinterdcstreamthroughput: reads(0, '-m --mib -d --precise-mbit -e --entire-sstable-throughput'),
  getlogginglevels: reads(),
  getsstables: reads(3, '-hf --hex-format -l --show-levels'),
  getstreamthroughput: reads(0, '-m --mib -d --precise-mbit -e --entire-sstable-throughput'),
  gettimeout: reads(1),
  gettraceprobability: reads(),
  gossipinfo: reads(0, '-r --resolve-ip'),
  info: reads(0, '-T --tokens'),
  listsnapshots: reads(0, '-e --ephemeral -nt --no-ttl'),
  netstats: reads(0, '-H --human-readable'),
  proxyhistograms: reads(),
  ring: reads(1, '-r --resolve-ip'),
  status: reads(1, '-r --resolve-ip', '-o --order -s --sort'),
  statusbackup: reads(),
  statusbinary: reads(),
  statusgossip: reads(),
  statushandoff: reads(),
  tablehistograms: reads(2),
  tablestats: reads(
    20,
    '-H --human-readable -i -l --sstable-location-check',
    '-F --format -s --sort -t --top',
  ),
  tpstats: reads(0, '', '-F --format'),
  version: reads(0, '-v --verbose'),
  viewbuildstatus: reads(2),
};

/** Those of the list that change something: they come with a later version. */
const laterCommands = new Set(
  (
    'cleanup clearsnapshot compact disableautocompaction disablehandoff disablehintsfordc drain enableautocompaction ' +
    'enablehandoff enablehintsfordc flush garbagecollect invalidatecountercache invalidatekeycache invalidaterowcache ' +
    'pausehandoff rangekeysample rebuild rebuild_index refresh refreshsizeestimates reloadlocalschema replaybatchlog ' +
    'resetlocalschema resumehandoff scrub setcachecapacity setcachekeystosave setcompactionthreshold setcompactionthroughput ' +
    'setconcurrentcompactors sethintedhandoffthrottlekb setinterdcstreamthroughput setstreamthroughput settimeout ' +
    'settraceprobability stop toppartitions truncatehints verify'
  ).split(' '),
);

/** What would take a node, its membership or its backups out of the service's hand. */
const neverCommands: Readonly<Record<string, string>> = {
  assassinate: 'the service decides who is in the ring',
  bootstrap: 'the service lets nodes join',
  decommission: 'nodes leave by a lower nodeCount',
  disablebinary: 'the service opens and closes CQL',
  disablegossip: 'the service decides who is in the ring',
  enablebinary: 'the service opens and closes CQL',
  enablegossip: 'the service decides who is in the ring',
  import: 'it would read files that the service has not checked',
  move: 'the service gives tokens',
  relocatesstables: 'the service keeps the disks',
  removenode: 'nodes leave by a lower nodeCount',
  repair: 'the service schedules repairs',
  snapshot: 'the service makes the backups',
  stopdaemon: 'clusters are stopped by deallocate',
  upgradesstables: 'the service does upgrades',
};

/** Says no to every subcommand but those that read. */
function checkSubcommand(name: string, target: string): ReadingCommand {
  const known = Object.hasOwn(readingCommands, name) ? readingCommands[name] : undefined;
  if (known) return known;
  if (Object.hasOwn(neverCommands, name)) {
    throw new ArmError(
      'CommandNotAllowed',
      `${target}: nodetool ${name} is not for customers: ${neverCommands[name]}.`,
      { target },
    );
  }
  if (laterCommands.has(name)) {
    throw new ArmError(
      'NotYetSupported',
      `${target}: nodetool ${name} changes something, which comes with a later version. Now there are those that read: ${Object.keys(readingCommands).join(', ')}.`,
      { target },
    );
  }
  throw new ArmError(
    'InvalidParameter',
    `${target}: '${name.slice(0, 100)}' is no subcommand of nodetool that is known here. There are ${Object.keys(readingCommands).join(', ')}.`,
    { target },
  );
}

/** What a word or value may hold: names of keyspaces and tables, keys, numbers. It never begins with a dash. */
const plainWord = /^[\p{L}\p{N}_.:,/*"'+ ][\p{L}\p{N}_.:,/*"'+ -]{0,255}$/u;

/**
 * Turns `{"status": "", "-r": ""}`, as az sends it, into nodetool's line, the subcommand first. Throws an ArmError for
 * whatever isn't known to read only.
 */
export function nodetoolLine(given: Readonly<Record<string, string>>, target: string): readonly string[] {
  const entries = Object.entries(given);
  const fail = (why: string): never => {
    throw new ArmError('InvalidParameter', `${target}${why}`, { target });
  };
  // The subcommand is the first word without a dash; where a value came with it, that is its first own word.
  const [name, value] =
    entries.find(([key]) => !key.startsWith('-')) ??
    fail(' names no subcommand of nodetool: send {"status": ""}, or --arguments status="".');
  const command = checkSubcommand(name.toLowerCase(), target);
  const line: string[] = [name.toLowerCase()];
  let words = 0;
  const word = (text: string): void => {
    if (!plainWord.test(text)) fail(`: '${text.slice(0, 100)}' can't be given to nodetool ${name}.`);
    if (++words > command.words) {
      fail(
        `: nodetool ${name} takes ${command.words === 0 ? 'no words' : `at most ${command.words}`} after it; '${text}' is too many.`,
      );
    }
    line.push(text);
  };
  for (const [key, text] of entries) {
    if (!key.startsWith('-')) continue;
    const takesValue = command.options.includes(key);
    if (!takesValue && !command.switches.includes(key)) {
      fail(
        `: nodetool ${name} has no option '${key.slice(0, 100)}' here; it has ${[...command.switches, ...command.options].join(', ') || 'none'}.`,
      );
    }
    if (takesValue !== (text !== ''))
      fail(`: option ${key} of nodetool ${name} takes ${takesValue ? 'a' : 'no'} value.`);
    if (takesValue && !plainWord.test(text)) fail(`: '${text.slice(0, 100)}' is no value of ${key}.`);
    line.push(key, ...(takesValue ? [text] : []));
  }
  if (value !== '') word(value);
  for (const [key, text] of entries) {
    if (key === name || key.startsWith('-')) continue;
    word(key);
    if (text !== '') word(text);
  }
  return line;
}

/** The rest of the contract's commands. */
export const otherCommands: readonly string[] = [
  'sstableverify', 'sstablescrub', 'sstablemetadata', 'sstablelevelreset', 'sstableutil', 'sstablesplit', 'sstablerepairedset',
  'sstableofflinerelevel', 'sstableexpiredblockers', 'cassandra-reset-password', 'cassandra-reset-auth-replication', 'sstable-tree',
  'sstable-delete', 'get-cassandra-yaml',
]; // prettier-ignore

export const commandLists = { later: [...laterCommands], never: neverCommands };
