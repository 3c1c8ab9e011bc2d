/**
 * A command is one data object: the parser, the help, the reference page and the completion are made from it.
 *
 * cli/ speaks HTTPS to control, sets up what is missing, and starts and ends this machine's own stack. It must hold no
 * logic that control lacks: whatever can be refused is refused by control.
 */
import type { CliContext } from './context.ts';

/**
 * text: one value. list: one or more. switch: no value. boolean: true|false. integer. pairs: key=value, one or more.
 * secret: a value, or @FILE, or - for standard input.
 */
export type OptionKind = 'text' | 'list' | 'switch' | 'boolean' | 'integer' | 'pairs' | 'secret';

export interface OptionSpec {
  readonly kind: OptionKind;
  /** `['-g', '--resource-group']`: at most one short form; the first long form is the one shown. */
  readonly flags: readonly string[];
  readonly help: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

interface ValueOf {
  readonly text: string;
  readonly list: readonly string[];
  readonly switch: boolean;
  readonly boolean: boolean;
  readonly integer: number;
  readonly pairs: Readonly<Record<string, string>>;
  readonly secret: string;
}

export type Values<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends { readonly required: true }
    ? ValueOf[O[K]['kind']]
    : ValueOf[O[K]['kind']] | undefined;
};

/** What a command hands back to be printed; nothing: it has said all it had to say. */
export interface Outcome {
  /** For -o json and the like, and for --query. */
  readonly value: unknown;
  /** Used when the caller asked for no format: a text for people. JSON where there is none. */
  readonly human?: string;
  /** Rows of -o table where the value itself isn't the rows. */
  readonly rows?: readonly unknown[];
  /** Columns of -o table: header → JMESPath. Every simple property where there are none. */
  readonly columns?: Readonly<Record<string, string>>;
  /** The exit code, where it is an answer: `verify` without proof ends with 1. */
  readonly exitCode?: number;
}

export interface CommandSpec<O extends OptionSpecs> {
  /** `network vnet create`. */
  readonly path: string;
  readonly summary: string;
  /** Complete lines without the program's name. */
  readonly examples: readonly string[];
  readonly options: O;
  /** Words after the options: a log's name, a program to run. */
  readonly rest?: { readonly name: string; readonly help: string; readonly passThrough?: boolean };
  run(cx: CliContext, options: Values<O>, rest: readonly string[]): Promise<Outcome | void>;
}

export type Command = Omit<CommandSpec<OptionSpecs>, 'run'> & {
  run(
    cx: CliContext,
    options: Readonly<Record<string, unknown>>,
    rest: readonly string[],
  ): Promise<Outcome | void>;
};

/** Types `options` in `run` by the specification beside it. */
export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): Command {
  return { ...spec, run: (cx, options, rest) => spec.run(cx, options as Values<O>, rest) };
}

/** Options that every command takes. */
export const globalOptions = {
  output: {
    kind: 'text',
    flags: ['-o', '--output'],
    choices: ['json', 'jsonc', 'table', 'tsv', 'yaml'],
    help: 'The form of the output.',
  },
  query: { kind: 'text', flags: ['--query'], help: 'A JMESPath expression over the output.' },
  as: {
    kind: 'text',
    flags: ['--as'],
    choices: ['customer', 'provider'],
    help: 'Whose credentials to use; else $SALLYPORT_AS, else those in the environment, else the customer.',
  },
  subscription: {
    kind: 'text',
    flags: ['--subscription'],
    help: 'The subscription, where it is not the principal’s own.',
  },
} as const satisfies OptionSpecs;
