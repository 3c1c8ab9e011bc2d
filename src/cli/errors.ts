import { armErrors } from '../arm/errors.ts';
import { UserError, faultOf } from '../lib/errors.ts';
import { wrap } from './output/wrap.ts';

/** As az: 2 for usage, 3 for what isn't found, 1 for the rest. */
export const exitCodes = { failed: 1, usage: 2, notFound: 3, interrupted: 130 } as const;

/** A line that can't be understood. */
export class UsageError extends UserError {
  constructor(message: string, next: string) {
    super('UsageError', message, next);
  }
}

/** Something of this machine is missing or too small; nothing was changed. Ends with 2. */
export class SetupError extends UserError {}

/** Control said no, in ARM's words. */
export class ArmRefused extends UserError {
  readonly status: number;
  readonly details: readonly { readonly code: string; readonly message: string }[];
  constructor(
    status: number,
    code: string,
    message: string,
    details: ArmRefused['details'] = [],
    next?: string,
  ) {
    super(code, message, next ?? nextFor(code, message));
    this.status = status;
    this.details = details;
  }
}

export function nextFor(code: string, message = ''): string {
  if (code === 'AuthorizationFailed' && /privateEndpointConnections/i.test(message)) {
    return 'Only the provider approves: run the same command with --as provider.';
  }
  const known: Readonly<Record<string, { readonly next: string }>> = armErrors;
  return known[code]?.next ?? 'sallyport logs control shows what happened.';
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof SetupError) return exitCodes.usage;
  if (error instanceof ArmRefused && error.status === 404) return exitCodes.notFound;
  return exitCodes.failed;
}

/** What a person sees: code, what and why, and the next command. */
export function describeError(
  error: unknown,
  width: number,
  typed: (text: string) => string = (text) => text,
): string {
  const fault = faultOf(error);
  const code = error instanceof UserError ? error.code : fault.code;
  const next =
    error instanceof UserError
      ? error.next
      : 'This is our fault, not yours: `sallyport logs control` has more; please file an issue.';
  const details =
    error instanceof ArmRefused ? error.details.map((detail) => `  ${detail.code}: ${detail.message}`) : [];
  return [`ERROR: (${code}) ${fault.message}`, ...details, `Next: ${next}`]
    .map((line) => wrap(typed(line), width))
    .join('\n');
}
