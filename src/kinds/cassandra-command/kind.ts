/** A command that was asked for with invokeCommand or invokeCommandAsync, and what came of it. */
import type { Kind } from '../../arm/kind.ts';
import {
  commandType,
  outputOf,
  wholeOutput,
  type Command,
  type CommandProperties,
  type CommandState,
} from './schema.ts';
import type { JsonObject, Store } from '../../store/resource.ts';
import { cassandraName } from '../rules.ts';

export const commandKind: Kind<CommandProperties, CommandState> = {
  type: commandType,
  summary: 'A command that was run on a node of a cluster.',
  name: cassandraName,
  tracked: false,
  operations: 'documentdb',
  verbs: ['GET'],
  bare: true,
  independent: true,
  accept: () => {
    throw new Error('A command has no PUT.');
  },
  show: publicCommand,
  result: (command, { store }) =>
    command.properties.caller === 'asks later'
      ? publicCommand(command, { store })
      : commandOutput(command, store),
};

/** CommandPublicResource (contract §1.6). */
function publicCommand(command: Command, { store }: { readonly store: Pick<Store, 'secrets'> }): JsonObject {
  const { properties, state } = command;
  const output = outputOf(store, command);
  return {
    command: properties.command,
    commandId: command.name,
    arguments: properties.arguments,
    host: properties.host,
    isAdmin: false,
    cassandraStopStart: properties.cassandraStopStart,
    readWrite: properties.readWrite,
    result: output ? wholeOutput(output, state.exitCode) : (state.fault?.message ?? null),
    status: statuses[state.at],
    outputFile: null,
  };
}

const statuses: Readonly<Record<CommandState['at'], string>> = {
  queued: 'Enqueue',
  running: 'Running',
  done: 'Finished',
  failed: 'Failed',
};

/** CommandOutput. az prints commandOutput alone, so whatever went wrong is in there as well. */
function commandOutput(command: Command, store: Pick<Store, 'secrets'>): JsonObject {
  const output = outputOf(store, command) ?? { output: '', errorOutput: '' };
  const { exitCode } = command.state;
  return {
    commandOutput: wholeOutput(output, exitCode),
    commandErrorOutput: output.errorOutput,
    exitCode,
  };
}
