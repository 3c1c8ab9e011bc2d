import type { Clock } from '../lib/clock.ts';
import type { ArmClient } from './arm/client.ts';
import type { Home } from './home.ts';
import type { Progress } from './output/progress.ts';

export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  readonly home: Home;
  readonly clock: Clock;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Columns of the terminal; 80 where it isn't one. */
  readonly width: number;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Standard error is a terminal. */
  readonly interactive: boolean;
  readonly progress: Progress;
  /** What the caller gave for the options that every command takes. */
  readonly globals: {
    readonly as: string | undefined;
    readonly subscription: string | undefined;
    readonly output: string | undefined;
    readonly query: string | undefined;
  };
  /** The client for control, signed in on its first request. */
  arm(as?: 'customer' | 'provider'): Promise<ArmClient>;
}
