import { Command as Commander, CommanderError, Option } from 'commander';
import {
  globalOptions,
  type Command,
  type OptionKind,
  type OptionSpec,
  type OptionSpecs,
} from './command.ts';
import { version } from '../server/version.ts';
import { UsageError } from './errors.ts';

/** A line understood: the command, its options, and the rest. Secrets are still as written: `@file` and `-` come later. */
export interface Parsed {
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
  readonly globals: Readonly<Record<string, unknown>>;
  readonly rest: readonly string[];
}

/** Help was asked for, or no command was named. */
export interface HelpText {
  readonly help: string;
}

export function parse(
  commands: readonly Command[],
  argv: readonly string[],
  width: number,
): Parsed | HelpText {
  let parsed: Parsed | undefined;
  let help = '';
  let complaint = '';
  const program = group('sallyport', 'Managed Apache Cassandra behind a single door.');
  program.version(version, '-v, --version', 'Print the version.');
  for (const command of commands) addCommand(program, command, (found) => (parsed = found));
  configure(
    program,
    width,
    (text) => (help += text),
    (text) => (complaint += text),
  );
  try {
    if (argv.length === 0) program.outputHelp();
    else program.parse(argv as string[], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return { help };
    if (error.code === 'commander.help') return { help: help || complaint };
    throw new UsageError(error.message.replace(/^error: /, ''), `sallyport ${groupOf(program, argv)}--help`);
  }
  return parsed ?? { help };
}

/** The part of a line that names commands or groups, for the next step of a usage error. */
function groupOf(program: Commander, argv: readonly string[]): string {
  let at = program;
  let path = '';
  for (const word of argv) {
    const next = at.commands.find((each) => each.name() === word);
    if (!next) break;
    at = next;
    path += `${word} `;
  }
  return path;
}

function group(name: string, summary: string): Commander {
  return new Commander(name).description(summary).helpCommand(false).enablePositionalOptions();
}

function configure(
  command: Commander,
  width: number,
  out: (text: string) => void,
  err: (text: string) => void,
): void {
  command.exitOverride();
  command.configureHelp({ minWidthToWrap: 20 });
  command.configureOutput({
    writeOut: out,
    writeErr: err,
    outputError: () => undefined,
    getOutHelpWidth: () => width,
    getErrHelpWidth: () => width,
  });
  for (const child of command.commands) configure(child, width, out, err);
}

const groupSummaries: Readonly<Record<string, string>> = {
  group: 'Resource groups.',
  'managed-cassandra': 'Managed Apache Cassandra.',
  'managed-cassandra cluster': 'Clusters.',
  'managed-cassandra cluster command': 'Commands that were run on a cluster.',
  'managed-cassandra cluster backup': 'Backups of a cluster.',
  'managed-cassandra datacenter': 'Data centres of a cluster.',
  network: 'Networks of this installation.',
  'network vnet': 'Virtual networks.',
  'network vnet subnet': 'Subnets of a virtual network.',
  'network private-endpoint': 'Private endpoints: one address in a network that leads to one service.',
  'network private-endpoint-connection': 'Connections that ask for a private link service.',
  'network nic': 'Network interfaces.',
};

function addCommand(program: Commander, command: Command, found: (parsed: Parsed) => void): void {
  const words = command.path.split(' ');
  let parent = program;
  for (const [index, word] of words.slice(0, -1).entries()) {
    let next = parent.commands.find((each) => each.name() === word);
    if (!next) {
      next = group(word, groupSummaries[words.slice(0, index + 1).join(' ')] ?? '');
      parent.addCommand(next);
    }
    parent = next;
  }
  const leaf = group(words.at(-1)!, command.summary);
  const keys = addOptions(leaf, command.options);
  const globalKeys = addOptions(leaf, globalOptions, 'Options of every command:');
  if (command.rest) leaf.argument(`[${command.rest.name}...]`, command.rest.help);
  if (command.rest?.passThrough) leaf.passThroughOptions();
  if (!command.rest) leaf.allowExcessArguments(false);
  leaf.addHelpText('after', `\nExamples:\n${command.examples.map((line) => exampleLines(line)).join('\n')}`);
  leaf.action((...args: unknown[]) => {
    const given = leaf.opts() as Record<string, unknown>;
    const options = pick(given, keys, command.options);
    requireAll(command, options);
    found({
      command,
      options,
      globals: pick(given, globalKeys, globalOptions),
      rest: command.rest ? ((args[0] as string[]) ?? []) : [],
    });
  });
  parent.addCommand(leaf);
}

/** A command line broken before its options, so that it can be copied as it is. */
export function exampleLines(example: string, width = 80): string {
  const lines: string[] = [];
  let line = '  sallyport';
  for (const part of example.split(/ (?=--? ?\w)/)) {
    if (line.length + part.length + 3 > width) {
      lines.push(line);
      line = `    ${part}`;
    } else {
      line += ` ${part}`;
    }
  }
  return [...lines, line].join(' \\\n');
}

/** Returns, for each name under which commander keeps a value, the key of the specification. */
function addOptions(leaf: Commander, specs: OptionSpecs, heading = 'Options:'): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [key, spec] of Object.entries(specs)) {
    const short = spec.flags.find((flag) => !flag.startsWith('--'));
    const longs = spec.flags.filter((flag) => flag.startsWith('--'));
    for (const [index, long] of longs.entries()) {
      const flags = index === 0 && short ? `${short}, ${long}` : long;
      const option = new Option(
        `${flags}${placeholders[spec.kind]}`,
        spec.required ? `${spec.help} Required.` : spec.help,
      );
      option.helpGroup(heading);
      if (spec.choices) option.choices(spec.choices);
      if (index > 0) option.hideHelp();
      leaf.addOption(option);
      keys.set(option.attributeName(), key);
    }
  }
  return keys;
}

const placeholders = {
  text: ' <value>',
  list: ' <value...>',
  switch: '',
  boolean: ' [true|false]',
  integer: ' <number>',
  pairs: ' <key=value...>',
  secret: ' <value|@file|->',
} as const satisfies Record<OptionKind, string>;

function pick(
  given: Record<string, unknown>,
  keys: ReadonlyMap<string, string>,
  specs: OptionSpecs,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [name, key] of keys) {
    const value = given[name];
    const understood = value === undefined ? undefined : read(value, specs[key]!);
    if (understood !== undefined) picked[key] = understood;
  }
  return picked;
}

function read(value: unknown, spec: OptionSpec): unknown {
  const flag = spec.flags.find((each) => each.startsWith('--'))!;
  // commander takes --no-… for the negation of an option that is on.
  if (spec.kind === 'switch') return flag.startsWith('--no-') ? value === false || undefined : value;
  if (spec.kind === 'integer') {
    if (!/^\d+$/.test(String(value)))
      throw new UsageError(`${flag} is '${String(value)}', not a whole number.`, `Give ${flag} a number.`);
    return Number(value);
  }
  if (spec.kind === 'boolean') {
    if (value === true || /^(true|yes|1|on)$/i.test(String(value))) return true;
    if (/^(false|no|0|off)$/i.test(String(value))) return false;
    throw new UsageError(`${flag} is '${String(value)}', not true or false.`, `Give ${flag} true or false.`);
  }
  if (spec.kind === 'pairs') {
    const pairs = (value as readonly string[]).map((pair): [string, string] => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new UsageError(
          `${flag} has '${pair}', which is not key=value.`,
          `Write ${flag} key=value [key=value …].`,
        );
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
    return Object.fromEntries(pairs);
  }
  return value;
}

function requireAll(command: Command, options: Readonly<Record<string, unknown>>): void {
  const missing = Object.entries(command.options)
    .filter(([key, spec]) => spec.required && options[key] === undefined)
    .map(([, spec]) => [...spec.flags].reverse().join('/'));
  if (missing.length === 0) return;
  throw new UsageError(
    `The following arguments are required: ${missing.join(', ')}`,
    `sallyport ${command.path} --help`,
  );
}
