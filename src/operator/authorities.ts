/**
 * The cluster's three authorities. Each signs leaves for its own use only, and none signs for another: who may speak on the
 * exchange is no member of the ring by that, and the other way round.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readJson, writeJson } from '../lib/files.ts';
import { createAuthority, fingerprint, issue, issueOnRequest, type Authority } from '../lib/x509.ts';
import { spiffeIdentity } from './node-intent.ts';
import type { Grant } from './state.ts';

const authorityNames = ['internode', 'client', 'exchange'] as const;
type AuthorityName = (typeof authorityNames)[number];
export type Authorities = Readonly<Record<AuthorityName, Authority>>;

const authorityDays = 3_650;
const leafDays = 365;
/** The operator's own certificate is made anew at each start, and after this. */
export const serverRenewalMs = 30 * 86_400_000;

/** Reads the authorities, or makes them: all three or none. */
export async function openAuthorities(path: string, cluster: string, now: number): Promise<Authorities> {
  const kept = await readJson<Authorities>(path);
  if (kept) return kept;
  // A subject of its own per cluster, short whatever the cluster is called.
  const mark = createHash('sha256').update(cluster).digest('hex').slice(0, 12);
  const [internode, client, exchange] = await Promise.all(
    authorityNames.map((name) => createAuthority(`sallyport ${name} ${mark}`, { days: authorityDays, now })),
  );
  const made = { internode: internode!, client: client!, exchange: exchange! };
  await writeJson(path, made);
  return made;
}

export interface NodeSubject {
  readonly name: string;
  /** Its ring address. */
  readonly address: string;
  /** The cluster's identity: names the ring's SPIFFE id. */
  readonly identity: string;
}

/**
 * The three certificates of a node. What they say comes from the intent, only the keys come from the requests; a renewal
 * calls it with new requests or the old ones.
 */
export async function issueForNode(
  authorities: Authorities,
  subject: NodeSubject,
  requests: Grant['certificates'],
  now: number,
): Promise<Pick<Grant, 'certificates' | 'exchangeFingerprint'>> {
  const common = { commonName: subject.name, days: leafDays, now };
  const [exchange, internode, client] = await Promise.all([
    issueOnRequest(authorities.exchange, requests.exchange, { ...common, use: ['client'] }),
    issueOnRequest(authorities.internode, requests.internode, {
      ...common,
      uri: [spiffeIdentity(subject.identity)],
      use: ['server', 'client'],
    }),
    issueOnRequest(authorities.client, requests.client, {
      ...common,
      dns: [subject.name],
      ip: [subject.address],
      use: ['server'],
    }),
  ]);
  return { certificates: { exchange, internode, client }, exchangeFingerprint: await fingerprint(exchange) };
}

/** What the operator shows at its enrolment and exchange ports. The key lives in memory only. */
export function issueForOperator(
  authorities: Authorities,
  addresses: readonly string[],
  now: number,
): Promise<Authority> {
  return issue(authorities.exchange, {
    commonName: 'operator',
    dns: ['operator'],
    ip: addresses,
    use: ['server'],
    days: leafDays,
    now,
  });
}

/** SHA-256 of a certificate that TLS hands over as DER, spelt as {@link Grant.exchangeFingerprint}. */
export const fingerprintOfDer = (der: Buffer): string =>
  new X509Certificate(der).fingerprint256.replaceAll(':', '').toLowerCase();
