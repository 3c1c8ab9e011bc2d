import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { readFileIfThere, readJson, writeFileAtomic, writeJson } from '../lib/files.ts';
import { createAuthority, issue, type Authority, type Profile } from '../lib/x509.ts';

/** Control's three authorities, none of which signs for another, and what each has issued to control itself. */
export interface Authorities {
  /** Of the API on loopback; people trust it by `ca.pem`. */
  readonly api: { readonly authority: Authority; readonly server: Authority };
  /** Of the exchange with operators: signs control's side and every operator's. */
  readonly operators: { readonly authority: Authority; readonly server: Authority };
  /** Of the exchange with the gate. */
  readonly gate: { readonly authority: Authority; readonly server: Authority };
}

const years = 3650;
/** A leaf is issued anew at a start when less than this is left. */
const renewBeforeMs = 60 * 86_400_000;

export async function openAuthorities(folder: string, clock: Clock): Promise<Authorities> {
  const at = (name: string): string => join(folder, 'authority', name);
  const now = clock.now();
  const open = async (
    name: string,
    commonName: string,
    profile: Pick<Profile, 'commonName' | 'dns' | 'ip'>,
  ) => {
    // Key and certificate are one file: no moment at which they don't fit together.
    const authority = await keep(at(`${name}.json`), () => createAuthority(commonName, { days: years, now }));
    const server = await keep(
      at(`${name}-server.json`),
      () => issue(authority, { ...profile, use: ['server'], days: 397, now }),
      ({ certificate }) => Date.parse(new X509Certificate(certificate).validTo) - now > renewBeforeMs,
    );
    return { authority, server };
  };
  const api = await open('api', 'Sallyport control', {
    commonName: 'localhost',
    dns: ['localhost'],
    ip: ['127.0.0.1'],
  });
  const operators = await open('operators', 'Sallyport operators', {
    commonName: 'control',
    dns: ['control'],
  });
  const gate = await open('gate', 'Sallyport gate', { commonName: 'control', dns: ['control'] });
  await publish(at('ca.pem'), api.authority.certificate);
  return { api, operators, gate };
}

async function keep(
  file: string,
  make: () => Promise<Authority>,
  good: (had: Authority) => boolean = () => true,
): Promise<Authority> {
  const had = await readJson<Authority>(file);
  if (had && good(had)) return had;
  const made = await make();
  await writeJson(file, made);
  return made;
}

async function publish(file: string, certificate: string): Promise<void> {
  if ((await readFileIfThere(file)) !== certificate) await writeFileAtomic(file, certificate, 0o644);
}
