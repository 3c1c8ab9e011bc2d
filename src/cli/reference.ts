import { globalOptions, type Command, type OptionSpec, type OptionSpecs } from './command.ts';
import { exampleLines } from './parse.ts';

/** docs/reference/cli.md, made from the registry; a test holds the file against it. */
export function referencePage(commands: readonly Command[]): string {
  const sections = commands.map((command) => section(command));
  return `${head}\n## Options of every command\n\n${optionList(globalOptions)}\n\n${sections.join('\n')}`;
}

const head = `# Commands

Made from the commands themselves: \`node src/cli/reference.ts > docs/reference/cli.md\`.

Exit codes: 0 done, 1 refused or failed, 2 a line that can't be understood or something of the machine is missing, 3 not found, 130 interrupted.
A secret may be given as \`@FILE\`, or as \`-\` for standard input, so that it is in no argument list.
`;

function section({ path, summary, options, rest, examples }: Command): string {
  const own = Object.keys(options).length > 0 ? `\n${optionList(options)}\n` : '';
  const words = rest ? `\n- \`[${rest.name} …]\` ${rest.help}\n` : '';
  const lines = examples.map((example) => exampleLines(example).replace(/^/gm, '  ')).join('\n');
  return `## ${path}\n\n${summary}\n\n${lines}\n${own}${words}`;
}

const optionList = (specs: OptionSpecs): string =>
  Object.values(specs)
    .map((spec) => `- ${flagsOf(spec)} ${spec.help}${spec.required ? ' Required.' : ''}${choicesOf(spec)}`)
    .join('\n');

const flagsOf = ({ flags, kind }: OptionSpec): string =>
  flags.map((flag) => `\`${flag}\``).join(', ') + (kind === 'switch' ? '' : ` *${kinds[kind]}*`) + ':';
const choicesOf = ({ choices }: OptionSpec): string => (choices ? ` One of ${choices.join(', ')}.` : '');

const kinds = {
  text: 'text',
  list: 'one or more',
  boolean: 'true or false',
  integer: 'number',
  pairs: 'key=value …',
  secret: 'secret',
} as const;

if (import.meta.main) {
  const { commands } = await import('./registry.ts');
  process.stdout.write(referencePage(commands));
}
