import type { Clock } from '../../lib/clock.ts';

/** Says on standard error what is waited for: one line that changes on a terminal, a line for each change elsewhere. */
export interface Progress {
  /** What is going on now. The same text again says nothing. */
  show(text: string): void;
  /** Takes the changing line away, before something else is printed. */
  clear(): void;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly interactive: boolean;
  readonly width: number;
  readonly clock: Clock;
}

export function createProgress({ write, interactive, width, clock }: ProgressOptions): Progress {
  let shown = '';
  let since = clock.now();
  let dirty = false;
  let ticker: NodeJS.Timeout | undefined;

  const draw = (): void => {
    const seconds = Math.floor((clock.now() - since) / 1000);
    const tail = seconds >= 2 ? ` (${seconds} s)` : '';
    const room = Math.max(10, width - 1 - tail.length);
    const text = shown.length > room ? `${shown.slice(0, room - 1)}…` : shown;
    write(`\r\u001b[2K${text}${tail}`);
    dirty = true;
  };

  return {
    show(text) {
      if (text === shown) return;
      shown = text;
      since = clock.now();
      if (!interactive) return write(`${text}\n`);
      draw();
      ticker ??= setInterval(draw, 1000).unref();
    },
    clear() {
      clearInterval(ticker);
      ticker = undefined;
      if (dirty) write('\r\u001b[2K');
      dirty = false;
      shown = '';
    },
  };
}

export const silent: Progress = { show: () => undefined, clear: () => undefined };
