import type { Fault } from '../../lib/errors.ts';
import type { Resource, Store } from '../../store/resource.ts';

export const commandType = 'Microsoft.DocumentDB/cassandraClusters/commands';

export interface CommandProperties {
  readonly command: 'nodetool';
  /** As they were sent. */
  readonly arguments: Readonly<Record<string, string>>;
  /** What nodetool is given: the subcommand first. */
  readonly line: readonly string[];
  readonly host: string;
  readonly dataCenter: string;
  readonly readWrite: boolean;
  readonly cassandraStopStart: boolean;
  /** Whether its caller waits for the output, or asks for it later. */
  readonly caller: 'waits' | 'asks later';
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
}

export interface CommandState {
  readonly at: 'queued' | 'running' | 'done' | 'failed';
  readonly exitCode: number | null;
  /** Characters of output kept. */
  readonly size: number;
  readonly fault: Fault | null;
}

export type Command = Resource<CommandProperties, CommandState>;

export interface Output {
  readonly output: string;
  readonly errorOutput: string;
}

/** The output lies apart, sealed like a secret: it tells of the inside of a ring, and no list has to carry it. */
export const outputSecret = (commandId: string): string => `command/${commandId}/output`;

export const commandsOf = (store: Pick<Store, 'list'>, clusterId: string): readonly Command[] =>
  store.list<CommandProperties, CommandState>(commandType, clusterId);

export const isOpen = ({ state }: Pick<Command, 'state'>): boolean =>
  state.at === 'queued' || state.at === 'running';

export function outputOf(store: Pick<Store, 'secrets'>, { name }: Pick<Command, 'name'>): Output | undefined {
  const text = store.secrets.get(outputSecret(name));
  return text === undefined ? undefined : (JSON.parse(text) as Output);
}

/** What a caller reads: what it wrote, and, where it ended badly, that too. */
export function wholeOutput({ output, errorOutput }: Output, exitCode: number | null): string {
  const parts = [output, errorOutput, exitCode === 0 ? '' : `nodetool ended with exit code ${exitCode}.`];
  return parts.filter((part) => part !== '').join('\n');
}
