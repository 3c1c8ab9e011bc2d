/**
 * What may stand in the gate's configuration, and nothing else: each word that comes from outside is held against a pattern
 * before it comes near the text. Whatever a pattern lets through needs no escaping.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { X509Certificate } from 'node:crypto';
import type { GateAccount, GateCluster, GateRule } from '../exchange/intents/gate.ts';
import type { Fault } from '../lib/errors.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** A full name in lower case: no wildcard, no dot at the end, and no address, whose last label is a number. */
const accountName = new RegExp(`^(?=.{3,253}$)(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`);
const identityPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Segments of what needs no percent-encoding; `.` and `..` are no segments. */
const pathPattern = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~$-]+)+$/;

const flaw = (code: string, message: string): Fault => ({ code, message });
/** Cut, because it is shown; as JSON, because it may hold anything. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

/** Why an account can't be enforced as it is written; undefined: it can. */
export function flawOfAccount(account: GateAccount): Fault | undefined {
  const { name, upstream } = account;
  if (!accountName.test(name))
    return flaw(
      'BadName',
      `${quoted(name)} is no full host name in lower case. Name one host, without wildcard or dot at the end.`,
    );
  if (!isIPv4(upstream.address) && !isIPv6(upstream.address))
    return flaw(
      'BadUpstream',
      `${quoted(upstream.address)} is no IP address. The gate has no resolver: give the address of ${name}.`,
    );
  if (upstream.address.includes('%'))
    return flaw('BadUpstream', `${quoted(upstream.address)} has a zone. Give an address that needs none.`);
  const certificate = flawOfAuthority(upstream.authority);
  if (certificate !== undefined)
    return flaw('BadAuthority', `The authority of ${name} ${certificate}. Give its certificate as PEM.`);
  if (account.rules.length === 0)
    return flaw('NoRule', `No rule says what may be asked of ${name}. Give one, or disable the account.`);
  return account.rules.map(flawOfRule).find((found) => found !== undefined);
}

/** Whether a path can bound what is asked for. */
export const boundingPath = (path: string): boolean => path.length <= 512 && pathPattern.test(path);

function flawOfRule({ path }: GateRule): Fault | undefined {
  return path === null || boundingPath(path)
    ? undefined
    : flaw(
        'BadPath',
        `The path ${quoted(path)} can't bound a request. Write it like /logs/2026: letters, digits and ._~$- between slashes, none at the end.`,
      );
}

function flawOfAuthority(pem: string): string | undefined {
  const blocks = certificatesOf(pem);
  if (blocks.length === 0) return 'is no certificate';
  try {
    return blocks.every((block) => new X509Certificate(block).ca) ? undefined : 'is no certificate authority';
  } catch {
    return 'is no certificate that can be read';
  }
}

/** The certificates of a PEM text alone: whatever else stands in it, a key above all, goes no further. */
export const certificatesOf = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];

/** Why a cluster can't be let in; undefined: it can. */
export function flawOfCluster(cluster: GateCluster, others: readonly GateCluster[]): Fault | undefined {
  if (!identityPattern.test(cluster.identity))
    return flaw('BadIdentity', `${quoted(cluster.identity)} is no identity of a cluster.`);
  if (!isIPv4(cluster.source))
    return flaw('BadSource', `${quoted(cluster.source)} is no IPv4 address of an operator.`);
  const twin = others.find(
    (other) =>
      other !== cluster &&
      (other.identity === cluster.identity || other.source === cluster.source || other.port === cluster.port),
  );
  if (twin === undefined) return undefined;
  // Which of the two is meant can't be told: neither is let in.
  return flaw(
    'TwinClusters',
    `Two clusters share an identity, an operator's address or a port: ${quoted(cluster.identity)} and ${quoted(twin.identity)}.`,
  );
}
