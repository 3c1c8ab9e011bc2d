import { readCertificates, type PemCertificate } from '../certificates.ts';
import type { Fields } from '../fields.ts';

/** authenticationMethodLdapProperties without its password, which is kept as a secret. */
export interface LdapProperties {
  readonly serverHostname: string;
  readonly serverPort: number;
  readonly serviceUserDistinguishedName: string;
  readonly searchBaseDistinguishedName: string;
  readonly searchFilterTemplate: string;
  readonly serverCertificates: readonly PemCertificate[];
  readonly connectionTimeoutInMs: number;
}

const name = 'authenticationMethodLdapProperties';
const longest = 1_000;
const hostname = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Undefined where nothing is said: `{}`, which some clients always send, says nothing either. */
export function readLdap(body: Fields, now: LdapProperties | null | undefined): LdapProperties | undefined {
  const ldap = body.object(name);
  if (!ldap || ldap.entries().every(([, value]) => value === null || value === undefined)) return undefined;
  const needed = (key: 'serverHostname' | 'serviceUserDistinguishedName' | 'searchBaseDistinguishedName') =>
    ldap.text(key, { max: longest }) || (now?.[key] ?? ldap.fail(key, 'is missing.'));
  const serverHostname = needed('serverHostname');
  if (!hostname.test(serverHostname))
    return ldap.fail('serverHostname', `is '${serverHostname}', which is no name of a host.`);
  const searchFilterTemplate =
    ldap.text('searchFilterTemplate', { max: longest }) || (now?.searchFilterTemplate ?? '(cn=%s)');
  if (!searchFilterTemplate.includes('%s'))
    return ldap.fail('searchFilterTemplate', "has no %s, where the user's name goes, as in (cn=%s).");
  if (now === undefined || now === null) {
    if (!readLdapPassword(body)) return ldap.fail('serviceUserPassword', 'is missing.');
  }
  return {
    serverHostname,
    serverPort: ldap.integer('serverPort', { min: 1, max: 65_535 }) ?? now?.serverPort ?? 636,
    serviceUserDistinguishedName: needed('serviceUserDistinguishedName'),
    searchBaseDistinguishedName: needed('searchBaseDistinguishedName'),
    searchFilterTemplate,
    serverCertificates: readCertificates(ldap, 'serverCertificates') ?? now?.serverCertificates ?? [],
    connectionTimeoutInMs:
      ldap.integer('connectionTimeoutInMs', { min: 1, max: 600_000 }) ?? now?.connectionTimeoutInMs ?? 5_000,
  };
}

export const readLdapPassword = (body: Fields): string | undefined =>
  body.object(name)?.text('serviceUserPassword', { max: longest }) || undefined;

export const ldapSecret = (clusterIdentity: string, dataCenter: string): string =>
  `cluster/${clusterIdentity}/ldap/${dataCenter.toLowerCase()}`;
