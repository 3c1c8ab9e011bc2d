import { X509Certificate } from 'node:crypto';
import type { Fields } from './fields.ts';

export interface PemCertificate {
  readonly pem: string;
}

const most = 100;
const longest = 64 * 1024;
const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** A list of `{pem}`, each one certificate or a chain of them; a text that is anything else is refused by its place. */
export function readCertificates(body: Fields, name: string): readonly PemCertificate[] | undefined {
  const given = body.objects(name);
  if (given && given.length > most)
    return body.fail(name, `has ${given.length} entries; at most ${most} are allowed.`);
  return given?.map((item) => {
    const pem = item.text('pem', { max: longest });
    if (!pem) return item.fail('pem', 'is missing: a certificate in PEM.');
    const flaw = flawOf(pem);
    return flaw === undefined ? { pem } : item.fail('pem', flaw);
  });
}

function flawOf(pem: string): string | undefined {
  if (/PRIVATE KEY/.test(pem))
    return 'holds a private key, which nobody else should have. Send certificates only.';
  const blocks = pem.match(block) ?? [];
  if (blocks.length === 0 || pem.replace(block, '').trim() !== '')
    return 'is not certificates in PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----, and nothing else.';
  for (const text of blocks) {
    try {
      void new X509Certificate(text).subject;
    } catch {
      return 'is in the form of PEM, but what is in it is no X.509 certificate.';
    }
  }
  return undefined;
}
