import { faultOf } from '../../lib/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Progress } from '../output/progress.ts';
import { createProgress, silent } from '../output/progress.ts';

/** How quickstart tells what it does: lines for people, or one JSON object a line for machines. */
export interface Report {
  /** Runs one step. It answers whether it changed something, and with a word about what there is now. */
  step(name: string, work: (progress: Progress) => Promise<StepDone>): Promise<void>;
  /** Something worth a line that is no step. */
  note(text: string): void;
  /** A block at the end. */
  block(name: string, value: unknown, text: string): void;
  /** How many steps changed something. */
  changes(): number;
}

export interface StepDone {
  readonly changed: boolean;
  readonly note: string;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly interactive: boolean;
  readonly width: number;
  readonly clock: Clock;
  readonly write: (text: string) => void;
  readonly steps: number;
}

export function createReport(options: ReportOptions): Report {
  const { clock, write, json, interactive, width } = options;
  const began = clock.now();
  let number = 0;
  let changes = 0;
  const seconds = (since: number): number => Math.round((clock.now() - since) / 100) / 10;
  const event = (value: Readonly<Record<string, unknown>>): void =>
    write(`${JSON.stringify({ elapsed: seconds(began), ...value })}\n`);
  const stamp = (): string => `${seconds(began).toFixed(1)} s`.padStart(8);

  return {
    async step(name, work) {
      number++;
      const since = clock.now();
      const count = `[${number}/${options.steps}]`;
      const label = `${count} ${name}`;
      if (json) event({ event: 'step', step: number, of: options.steps, name });
      const line = createProgress({ write, interactive, width, clock });
      let last = '';
      const waiting: Progress = {
        show(text) {
          if (text === last) return;
          last = text;
          if (json) event({ event: 'waiting', step: number, text });
          // On a terminal the line is cut at its end, where the news is: the step's name makes room for it.
          else line.show(interactive ? `${count} ${text}` : `${stamp()}         … ${text}`);
        },
        clear: () => line.clear(),
      };
      if (!json) (interactive ? line : silent).show(label);
      try {
        const done = await work(waiting);
        if (done.changed) changes++;
        line.clear();
        if (json)
          event({
            event: 'done',
            step: number,
            name,
            changed: done.changed,
            seconds: seconds(since),
            note: done.note,
          });
        else write(`${stamp()}  ${label}: ${done.note}\n`);
      } catch (error) {
        line.clear();
        if (json) event({ event: 'failed', step: number, name, ...faultOf(error) });
        else write(`${stamp()}  ${label}: not done\n`);
        throw error;
      }
    },
    note(text) {
      if (json) event({ event: 'note', text });
      else write(`${stamp()}        ${text}\n`);
    },
    block(name, value, text) {
      if (json) event({ event: name, value });
      else write(`\n${text}\n`);
    },
    changes: () => changes,
  };
}
