/** nodetool's subcommands (contract §3.7) beside those that read, and how a request names them. */
import { ArmError } from '../../arm/errors.ts';
import { nodetoolArguments, nodetoolReads } from '../../exchange/nodetool.ts';

/** Those of the list that change something: they come with a later version. */
const laterCommands = new Set(
  (
    'cleanup clearsnapshot compact disableautocompaction disablehandoff disablehintsfordc drain enableautocompaction ' +
    'enablehandoff enablehintsfordc flush garbagecollect invalidatecountercache invalidatekeycache invalidaterowcache ' +
    'pausehandoff rebuild rebuild_index refresh refreshsizeestimates reloadlocalschema replaybatchlog ' +
    'resetlocalschema resumehandoff scrub setcachecapacity setcachekeystosave setcompactionthreshold setcompactionthroughput ' +
    'setconcurrentcompactors sethintedhandoffthrottlekb setinterdcstreamthroughput setstreamthroughput settimeout ' +
    'settraceprobability stop truncatehints verify'
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

/**
 * Turns `{"status": "", "-r": ""}`, as az sends it, into nodetool's arguments, the subcommand first. Throws an ArmError for
 * whatever isn't known to read only.
 */
export function nodetoolLine(given: Readonly<Record<string, string>>, target: string): readonly string[] {
  const fail = (why: string): never => {
    throw new ArmError('InvalidParameter', `${target}: ${why}`, { target });
  };
  const entries = Object.entries(given);
  // The subcommand is the first word without a dash; a value that came with it is its first own word.
  const [key, value] =
    entries.find(([word]) => !word.startsWith('-')) ??
    fail('no subcommand of nodetool is named: send {"status": ""}, or --arguments status="".');
  const name = key.toLowerCase();
  refuse(name, target);
  const flags = (Object.hasOwn(nodetoolReads, name) && nodetoolReads[name]?.flags) || [];
  const flag = entries.find(([word, text]) => flags.includes(word) && text !== '');
  if (flag) fail(`the option ${flag[0]} of 'nodetool ${name}' takes no value.`);
  const words = [
    ...entries.filter(([word]) => word.startsWith('-')).flat(),
    value,
    ...entries.filter(([word]) => word !== key && !word.startsWith('-')).flat(),
  ].filter((word) => word !== '');
  if (words.some((word) => /\p{Cc}/u.test(word))) fail('an argument holds a control character.');
  const line = [name, ...words];
  const order = nodetoolArguments(line);
  // The node judges the same line once more, for itself, and puts it in order then.
  return typeof order === 'string' ? fail(order) : line;
}

/** Names the reason for what is known and isn't offered. */
function refuse(name: string, target: string): void {
  if (Object.hasOwn(neverCommands, name)) {
    throw new ArmError(
      'CommandNotAllowed',
      `${target}: nodetool ${name} is not for customers: ${neverCommands[name]}.`,
      { target },
    );
  }
  if (!laterCommands.has(name)) return;
  throw new ArmError(
    'NotYetSupported',
    `${target}: nodetool ${name} changes something, which comes with a later version. Now there are those that read: ${Object.keys(nodetoolReads).join(', ')}.`,
    { target },
  );
}

/** The rest of the contract's commands. */
export const otherCommands: readonly string[] = [
  'sstableverify', 'sstablescrub', 'sstablemetadata', 'sstablelevelreset', 'sstableutil', 'sstablesplit', 'sstablerepairedset',
  'sstableofflinerelevel', 'sstableexpiredblockers', 'cassandra-reset-password', 'cassandra-reset-auth-replication', 'sstable-tree',
  'sstable-delete', 'get-cassandra-yaml',
]; // prettier-ignore

export const commandLists = { later: [...laterCommands], never: neverCommands };
