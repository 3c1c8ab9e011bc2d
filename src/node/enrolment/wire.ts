import type { EnrolmentGrant, JoinFile } from '../../exchange/intents/node.ts';
import type { Fault } from '../../lib/errors.ts';

/** What the agent hands the child that enrols, by standard input: secrets are no argument. */
export interface EnrolmentTask {
  readonly join: JoinFile;
  readonly ringAddress: string;
  /** Where the keys are kept before they have certificates, 0600. */
  readonly keysPath: string;
}

export type EnrolmentOutcome =
  | { readonly at: 'granted'; readonly grant: EnrolmentGrant }
  /** The operator could not prove itself. */
  | { readonly at: 'distrusted'; readonly error: Fault }
  /** The operator said no: asking again with the same file won't help. */
  | { readonly at: 'refused'; readonly error: Fault }
  /** No answer, or not yet. */
  | { readonly at: 'unreachable'; readonly error: Fault };
