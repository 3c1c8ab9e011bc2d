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
    const said = splitNext(message);
    super(code, said.what, next ?? nextFor(code, message, said.next));
    this.status = status;
    this.details = details;
  }
}

/** How ARM's own messages begin the sentence that says what to do; a test holds the list against them. */
const imperatives =
  'Add|Ask|Change|Check|Choose|Correct|Create|Delete|Free|Give|Leave|List|Look|Name|Read|Remove|See|Send|Sign|Take|Until then|Use|Wait|Write';
const nextSentence = new RegExp(`^([^]*?[.:;!?]) ((?:(?:${imperatives})\\b|'?sallyport )[^]*)$`);

/**
 * Control's messages end with what to do where that isn't plain, for those who see nothing else of them. Here the next step
 * has a line of its own, and is said once.
 */
export function splitNext(message: string): { readonly what: string; readonly next: string | undefined } {
  const found = nextSentence.exec(message);
  return found ? { what: found[1]!, next: found[2]! } : { what: message, next: undefined };
}

/** `said`: what the message itself says to do, which knows more than the catalogue. */
function nextFor(code: string, message: string, said: string | undefined): string {
  if (code === 'AuthorizationFailed' && /privateEndpointConnections/i.test(message)) {
    return 'Only the provider approves: run the same command with --as provider.';
  }
  if (said !== undefined) return said;
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
