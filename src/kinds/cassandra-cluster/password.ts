import { compareSync, genSaltSync, hashSync } from 'bcryptjs';
import { ArmError } from '../../arm/errors.ts';

const target = 'properties.initialCassandraAdminPassword';
const cost = 10;

/** Refuses what Cassandra can't carry: SASL PLAIN ends at a NUL, and bcrypt reads no more than 72 bytes. */
export function checkPassword(password: string): void {
  const fail = (why: string): never => {
    throw new ArmError(
      'InvalidParameter',
      `${target} ${why} It takes 1 to 72 bytes of UTF-8 without a NUL.`,
      { target },
    );
  };
  if (password === '') fail('is empty.');
  if (password.includes('\0')) fail('holds a NUL, at which the login protocol would cut it.');
  if (!password.isWellFormed()) fail('is not valid Unicode.');
  const bytes = Buffer.byteLength(password, 'utf8');
  if (bytes > 72) fail(`has ${bytes} bytes; what follows the 72nd would be ignored.`);
}

/** As Cassandra's bcrypt reads it: `$2a$`, whose difference to `$2b$` concerns passwords that are refused above. */
export const hashPassword = (password: string): string =>
  hashSync(password, genSaltSync(cost).replace(/^\$2[by]\$/, '$2a$'));

export const isPassword = (password: string, hash: string): boolean => compareSync(password, hash);
