import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const cost = { N: 16_384, r: 8, p: 1 } as const;
const length = 32;

/** `scrypt$N$r$p$salt$hash`: what is stored of a client's secret. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(secret, salt, cost.N, cost.r, cost.p);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

export async function secretMatches(secret: string, stored: string): Promise<boolean> {
  const [, N, r, p, salt, hash] = stored.split('$');
  // What is no hash of ours is nobody's secret.
  if (salt === undefined || hash === undefined) return false;
  const derived = await derive(secret, Buffer.from(salt, 'base64'), Number(N), Number(r), Number(p));
  return timingSafeEqual(derived, Buffer.from(hash, 'base64'));
}

const derive = (secret: string, salt: Buffer, N: number, r: number, p: number): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(secret, salt, length, { N, r, p }, (error, key) => (error ? reject(error) : resolve(key))),
  );
