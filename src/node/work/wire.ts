import type { NodeWork } from '../../exchange/intents/node.ts';
import type { Fault } from '../../lib/errors.ts';

/** What the agent hands the child that speaks CQL, by standard input: secrets are no argument. */
export interface RolesTask {
  readonly address: string;
  readonly dataCenter: string;
  /** PEM: the only authority that the node's own CQL port is believed by. */
  readonly authority: string;
  readonly task:
    | { readonly kind: 'secure-roles'; readonly work: Extract<NodeWork, { kind: 'secure-roles' }> }
    | { readonly kind: 'check-default-password-refused' };
}

export type RolesOutcome = { readonly at: 'done' } | { readonly at: 'failed'; readonly error: Fault };
