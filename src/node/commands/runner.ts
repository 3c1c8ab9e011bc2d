import type { CommandReport, NodeCommand } from '../../exchange/intents/node.ts';
import { withinReport } from '../../exchange/commands.ts';
import { nodetoolArguments } from '../../exchange/nodetool.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { failure, type Results } from './results.ts';

/** Runs the commands that are asked for, one after the other, each id at most once. */
export interface CommandRunner {
  /** Begins what is new, forgets what is gone; never waits for it. */
  offer(commands: readonly NodeCommand[]): void;
  reports(commands: readonly NodeCommand[]): Readonly<Record<string, CommandReport>>;
  readonly busy: () => boolean;
}

/** Runs nodetool with arguments that were checked. */
export type Nodetool = (
  args: readonly string[],
  signal: AbortSignal,
) => Promise<Pick<CommandReport, 'output' | 'errorOutput' | 'exitCode'>>;

const beginning: CommandReport = {
  state: 'running',
  output: '',
  errorOutput: '',
  exitCode: null,
  error: null,
};

export function createCommandRunner(options: {
  readonly results: Results;
  readonly nodetool: Nodetool;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onChange: () => void;
}): CommandRunner {
  const { results, nodetool, log, signal } = options;
  const mine = new Set<string>();
  let queue: Promise<void> = Promise.resolve();

  async function outcome({ arguments: given }: NodeCommand): Promise<CommandReport> {
    const args = nodetoolArguments(given);
    if (typeof args === 'string') return failure('CommandRefused', args);
    try {
      return { state: 'done', error: null, ...(await nodetool(args, signal)) };
    } catch (error) {
      log.warn('nodetool did not run to its end', { error });
      const { code, message } = faultOf(error);
      return failure(code, message);
    }
  }

  async function run(command: NodeCommand): Promise<void> {
    if (signal.aborted) return;
    try {
      await results.set(command.id, beginning);
      options.onChange();
      const report = await outcome(command);
      // Its successor says that it was interrupted.
      if (signal.aborted) return;
      await results.set(command.id, report);
      const { state, exitCode } = report;
      log.info('command', { id: command.id, subcommand: command.arguments[0], state, exitCode });
    } catch (error) {
      log.error('the results of commands could not be written', { error });
    } finally {
      mine.delete(command.id);
      options.onChange();
    }
  }

  return {
    offer(commands) {
      queue = queue
        .then(() => results.keep(commands.map(({ id }) => id)))
        .catch((error: unknown) => log.error('old results could not be dropped', { error }));
      for (const command of commands) {
        if (mine.has(command.id) || results.begun(command.id)) continue;
        mine.add(command.id);
        queue = queue.then(() => run(command));
      }
    },
    reports: (commands) =>
      withinReport(
        Object.fromEntries(
          commands.flatMap(({ id }) => {
            const report = results.get(id);
            return report ? [[id, report] as const] : [];
          }),
        ),
      ),
    busy: () => mine.size > 0,
  };
}
