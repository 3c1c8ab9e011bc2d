import { failureWords } from '../../network/by-gate.ts';
import type { Answer, StorePlace } from './store.ts';

/** Why logs wait, in words that a person can act on. They stay the same while the reason does, and hold no secret. */
export class Waiting extends Error {
  override readonly name = 'Waiting';
}

type Names = Pick<StorePlace, 'account' | 'container'>;

/** Of an answer that is none of those that are meant to come. */
export function refused({ account, container }: Names, { status, code, refusal }: Answer): Waiting {
  const said = code === null ? String(status) : `${status} ${code}`;
  if (refusal !== null)
    return new Waiting(
      `The gate refuses it (${refusal}): a policy has to let PUT through to ${account} below /${container}.`,
    );
  if (status === 404)
    return new Waiting(`${account} has no container ${container} (${said}): make it there.`);
  if (status === 401 || status === 403)
    return new Waiting(
      `${account} refuses the signature (${said}): has it run out, and does it permit to add and to create in ${container}?`,
    );
  if (status === 507) return new Waiting(`${account} has no room (${said}).`);
  return new Waiting(
    status === 429 || status >= 500
      ? `${account} doesn't take it now (${said}).`
      : `${account} refuses it (${said}).`,
  );
}

/** Of a connection that failed. */
export const failed = (names: Names, error: Error): Waiting => new Waiting(failureWords(names, error));

/** Of the node's own disk. */
export const unwritten = (error: NodeJS.ErrnoException): Waiting =>
  new Waiting(`The node's disk doesn't take the note that has to come first (${error.code ?? error.name}).`);
