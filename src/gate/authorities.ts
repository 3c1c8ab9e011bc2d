/**
 * The fourth authority of each cluster: it signs what the gate shows that cluster's operator, and nothing else. It is made here
 * and its key stays here, so that an operator can't pass for the gate, and one cluster's gate is not another's.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { GateCluster } from '../exchange/intents/gate.ts';
import { readJson, writeFileAtomic, writeJson } from '../lib/files.ts';
import { createAuthority, issue, type Authority } from '../lib/x509.ts';

interface ClusterKeys {
  readonly authority: Authority;
  /** By account. */
  readonly leaves: Readonly<Record<string, Authority>>;
}
type Kept = Readonly<Record<string, ClusterKeys>>;

const authorityDays = 3_650;
const leafDays = 365;
const renewBeforeMs = 60 * 86_400_000;

export interface Authorities {
  /** Makes what is missing, or about to run out, and forgets clusters that are gone. */
  ensure(identities: readonly string[], clusters: readonly GateCluster[], now: number): Promise<void>;
  /** PEM; undefined before it is made. */
  certificateOf(identity: string): string | undefined;
  /** The file with an account's key and certificate; it is there after `ensure`. */
  fileOf(identity: string, account: string): string;
  /** Deletes the files of certificates that are in use no more. */
  tidy(): Promise<void>;
}

export async function openAuthorities(path: string, folder: string): Promise<Authorities> {
  let kept: Kept = (await readJson<Kept>(path)) ?? {};

  /** When a certificate ends, in milliseconds. */
  const ends = new Map<string, number>();
  const runsOut = ({ certificate }: Authority): number => {
    const end = ends.get(certificate) ?? Date.parse(new X509Certificate(certificate).validTo);
    ends.set(certificate, end);
    return end;
  };
  /** Certificates whose files this process has written. */
  const written = new Set<string>();

  const fileOfLeaf = ({ certificate }: Authority): string =>
    join(folder, `${createHash('sha256').update(certificate).digest('hex').slice(0, 20)}.pem`);
  const fileOf = (identity: string, account: string): string => {
    const leaf = kept[identity]?.leaves[account];
    if (!leaf) throw new Error(`No certificate was made for ${account}.`);
    return fileOfLeaf(leaf);
  };

  return {
    async ensure(identities, clusters, now) {
      const next: Record<string, ClusterKeys> = {};
      for (const identity of identities) {
        const had = kept[identity];
        const authority = had?.authority ?? (await makeAuthority(identity, now));
        const accounts = clusters.find((cluster) => cluster.identity === identity)?.accounts ?? [];
        const leaves: Record<string, Authority> = {};
        for (const { name } of accounts) {
          const leaf = had?.leaves[name];
          leaves[name] =
            leaf && runsOut(leaf) - now > renewBeforeMs ? leaf : await makeLeaf(authority, name, now);
        }
        next[identity] = { authority, leaves };
      }
      if (!isDeepStrictEqual(next, kept)) await writeJson(path, next);
      kept = next;
      const all = Object.values(kept).flatMap(({ leaves }) => Object.values(leaves));
      // Many at once: each waits for the disk.
      await Promise.all(
        all
          .filter((leaf) => !written.has(leaf.certificate))
          .map(async (leaf) => {
            await writeFileAtomic(fileOfLeaf(leaf), `${leaf.privateKey}${leaf.certificate}`, 0o600);
            written.add(leaf.certificate);
          }),
      );
    },
    certificateOf: (identity) => kept[identity]?.authority.certificate,
    fileOf,
    async tidy() {
      const all = Object.values(kept).flatMap(({ leaves }) => Object.values(leaves));
      const used = new Set(all.map(fileOfLeaf));
      for (const name of await readdir(folder)) {
        if (!used.has(join(folder, name))) await rm(join(folder, name), { force: true });
      }
    },
  };
}

function makeAuthority(identity: string, now: number): Promise<Authority> {
  // A subject of its own per cluster, short whatever the cluster is called.
  const mark = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  return createAuthority(`sallyport gate ${mark}`, { days: authorityDays, now });
}

const makeLeaf = (authority: Authority, name: string, now: number): Promise<Authority> =>
  // A common name has at most 64 characters; who checks a name reads the alternative names.
  issue(authority, { commonName: name.slice(0, 64), dns: [name], use: ['server'], days: leafDays, now });
