import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** What a role is run with; `server/` hands it in. */
export interface RoleContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}
