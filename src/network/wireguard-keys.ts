import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';

/** A WireGuard key pair, base64 as `wg` writes it. */
export interface WireguardKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** PKCS#8 of an X25519 key is this header and the 32 bytes. */
const pkcs8Header = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function generateWireguardKeys(): WireguardKeys {
  const { privateKey } = generateKeyPairSync('x25519');
  const text = raw(privateKey.export({ format: 'jwk' }).d);
  return { privateKey: text, publicKey: wireguardPublicKey(text) };
}

export function wireguardPublicKey(privateKey: string): string {
  if (!isWireguardKey(privateKey)) throw new Error('A WireGuard private key is 32 bytes in base64.');
  const der = Buffer.concat([pkcs8Header, Buffer.from(privateKey, 'base64')]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return raw(key.export({ format: 'jwk' }).x);
}

/** Whether a text has a WireGuard key's form: 32 bytes in base64. */
export const isWireguardKey = (text: string): boolean => /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);

const raw = (part: string | undefined): string => Buffer.from(part ?? '', 'base64url').toString('base64');
