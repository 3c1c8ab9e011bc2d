import type { CommandReport } from '../../exchange/intents/node.ts';
import type { Pass } from '../pass.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';
import { commandsOf, isOpen, outputSecret, type Command } from './schema.ts';

/** A node gives a command up after a minute; then it is only the way to it that keeps its result. */
export const patienceMs = 180_000;
const mostKept = 50;
const mostCharacters = 8 << 20;

/** Takes up what the operator says of the commands of a cluster, and forgets the oldest. */
export function reconcileCommands(cluster: Cluster, pass: Pass): void {
  const commands = commandsOf(pass.store, cluster.id);
  const said = pass.operatorHeard(cluster.id)?.report.commands ?? {};
  for (const command of commands) if (isOpen(command)) follow(command, said[command.name], pass);
  let characters = 0;
  // The newest come last.
  for (const [index, command] of commands.toReversed().entries()) {
    characters += command.state.size;
    if (!isOpen(command) && (index >= mostKept || (index > 0 && characters > mostCharacters)))
      forget(command, pass);
  }
}

export function forget(command: Command, { store }: Pass): void {
  store.secrets.delete(outputSecret(command.name));
  store.remove(command.id);
}

function follow(command: Command, said: CommandReport | undefined, pass: Pass): void {
  const { store } = pass;
  if (said?.state === 'done') {
    const { output, errorOutput, exitCode } = said;
    store.secrets.set(outputSecret(command.name), JSON.stringify({ output, errorOutput }));
    store.setState(command.id, {
      at: 'done',
      exitCode,
      size: output.length + errorOutput.length,
      fault: null,
    });
    return store.settle(command.id, command.generation, { at: 'Succeeded' });
  }
  if (said?.state === 'failed') {
    return fail(
      command,
      pass,
      said.error ?? { code: 'CommandFailed', message: 'The node could not run it, and did not say why.' },
    );
  }
  if (pass.now - command.properties.askedAt > patienceMs) {
    return fail(command, pass, {
      code: 'CommandTimedOut',
      message: `Node ${command.properties.host} has not answered for ${patienceMs / 60_000} minutes: ask for the cluster's status. The command may still have run.`,
    });
  }
  pass.again(command.properties.askedAt + patienceMs + 1);
  if (said?.state === 'running') store.setState(command.id, { ...command.state, at: 'running' });
}

function fail(
  command: Command,
  { store }: Pass,
  fault: { readonly code: string; readonly message: string },
): void {
  store.setState(command.id, { ...command.state, at: 'failed', fault });
  store.settle(command.id, command.generation, { at: 'Failed', fault });
}
