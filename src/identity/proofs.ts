import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../store/credentials.ts';
import { hashSecret, secretMatches } from './secrets.ts';

/** How many secrets of a principal may live at a time: the old one and the new one, while clients change over. */
export const secretsMost = 2;

export interface SecretProofs {
  /** Whether it was right lately and still is: costs nothing, so a client that is at home passes any crowd. */
  isFamiliar(clientId: string, secret: string): boolean;
  /** Whether it is right. Takes as long for a client that isn't there. */
  check(clientId: string, secret: string): Promise<boolean>;
}

export function createSecretProofs(credentials: Pick<Credentials, 'live'>): SecretProofs {
  // Of this process alone: what is remembered is worth nothing to anybody else.
  const key = randomBytes(32);
  const digest = (secret: string): Buffer => createHmac('sha256', key).update(secret).digest();
  const familiar = new Map<string, { readonly credential: string; readonly digest: Buffer }>();
  const nobody = hashSecret('nobody');
  const secretsOf = (clientId: string) => credentials.live(clientId).filter(({ kind }) => kind === 'secret');

  return {
    isFamiliar(clientId, secret) {
      const had = familiar.get(clientId);
      return (
        had !== undefined &&
        timingSafeEqual(had.digest, digest(secret)) &&
        secretsOf(clientId).some(({ id }) => id === had.credential)
      );
    },
    async check(clientId, secret) {
      const live = secretsOf(clientId).slice(-secretsMost);
      const hashes: string[] = live.map(({ value }) => value);
      while (hashes.length < secretsMost) hashes.push(await nobody);
      const matches = await Promise.all(hashes.map((hash) => secretMatches(secret, hash)));
      const right = live.find((_, at) => matches[at]);
      if (right) familiar.set(clientId, { credential: right.id, digest: digest(secret) });
      return right !== undefined;
    },
  };
}
