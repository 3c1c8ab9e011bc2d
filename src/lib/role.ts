import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** What a role of the program is run with. */
export interface RoleContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts on SIGTERM and SIGINT: the role stops, what it manages keeps running. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}
