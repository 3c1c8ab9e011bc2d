import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';

/** Certificates are given as PEM or as the path of a PEM file; control gets PEM. */
export async function readCertificates(
  given: readonly string[],
): Promise<readonly { readonly pem: string }[]> {
  return Promise.all(
    given.map(async (text) => {
      if (text.includes('-----BEGIN CERTIFICATE-----')) return { pem: text };
      try {
        return { pem: await readFile(text, 'utf8') };
      } catch (error) {
        throw new UsageError(
          `'${text}' is neither a PEM certificate nor a file: ${(error as Error).message}`,
          'Give PEM text, or the path of a PEM file.',
        );
      }
    }),
  );
}
