/**
 * Two ways to fail, kept apart everywhere: the person's mistake, which they can mend, and our own fault.
 *
 * lib/ holds no domain words: nothing in here may know what a cluster, a door or an ARM id is.
 */

/** A mistake a person can mend. `message` says what and why, `next` is the command or change that mends it. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: string;
  readonly next: string;

  constructor(code: string, message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
}

/** What went wrong, in a form that can be stored, sent and shown: the cause stays behind, in the log. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** Reduces anything thrown to a {@link Fault}; keeps a `code` string where the error bears one. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    return { code, message: error.message };
  }
  return { code: 'Error', message: String(error) };
}
