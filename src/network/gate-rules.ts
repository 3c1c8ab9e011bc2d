/**
 * How the gate judges a request, in HAProxy's words. The order is the point: the first rule that has something against a
 * request names it, and only what no rule is against is led to a backend.
 */
import type { GateRule } from '../exchange/intents/gate.ts';

export interface Grant {
  readonly backend: string;
  readonly identity: string;
  readonly account: string;
  readonly rule: GateRule;
  /** The backend whose server is probed for it. */
  readonly probe: string;
}

/** Why a request was refused; docs/operate/gate.md has a line for each. */
export const refusalCodes = {
  target: 'the request names another server than its connection, or none',
  host: 'SNI and Host are not one and the same name',
  port: 'Host names another port than 443',
  upgrade: 'the connection was to become something else than HTTP/1.1',
  disguise: 'a header says that another host, path or method is meant',
  grant: 'no rule of the policy lets this method and path through',
  malformed: 'it is no HTTP/1.1 request',
  handshake: 'TLS was refused: no name, a name that is not allowed, or not TLS 1.3',
} as const;
export type RefusalCode = keyof typeof refusalCodes;

/**
 * Every answer that is the gate's own bears it, and no service's does: what a service says can't be taken for a refusal, nor a refusal
 * for a service's answer.
 */
export const ownAnswer = 'Sallyport-Gate';

/** What HAProxy says by itself, in the gate's words. Some of what is no HTTP/1.1 it answers in words that can't be changed: {@link isOwnHead}. */
const ownErrors: readonly (readonly [status: number, word: 'refused' | 'failed', text: string])[] = [
  [400, 'refused', 'refused this request: malformed'],
  [408, 'failed', 'waited for a request, and it did not come in time'],
  [413, 'refused', 'refused this request: malformed'],
  [500, 'failed', 'failed'],
  [501, 'refused', 'refused this request: malformed'],
  [502, 'failed', 'had no answer from the service that it could pass on'],
  [503, 'failed', 'does not reach the service: it does not answer, or does not prove its name'],
  [504, 'failed', 'waited for the service, and it did not answer in time'],
];
const saysMore = 'docs/operate/gate.md says what that means.\\n';

/**
 * Whether the head of an answer, as its bytes came, is the gate's own. HAProxy writes the headers of a service's answer in lower case, so that no
 * service can have said the second form.
 */
export const isOwnHead = (head: string): boolean =>
  new RegExp(`^${ownAnswer}:`, 'im').test(head) || builtIn.test(head);
const builtIn =
  /^HTTP\/1\.1 [45]\d\d [A-Za-z -]+\r\nContent-length: \d+\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text\/html$/;

/** Headers by which services and proxies in front of them take a request for another one. */
const disguises = [
  'x-forwarded-host',
  'x-original-host',
  'x-host',
  'forwarded',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
] as const;

/**
 * Each refuses where its condition holds. Conditions on the same code are alternatives. What HAProxy refuses by itself is not
 * here: several Hosts, lengths that disagree, chunks by any other name; of a length and chunks it passes on the chunks alone.
 */
const against: readonly (readonly [RefusalCode, string])[] = [
  ['target', '!{ url_beg / }'],
  ['target', '{ method CONNECT TRACE }'],
  ['host', '!{ req.fhdr_cnt(host) eq 1 }'],
  ['host', '!{ var(txn.host),strcmp(txn.sni) eq 0 }'],
  ['port', '{ req.fhdr(host),port_only gt 0 } !{ req.fhdr(host),port_only eq 443 }'],
  ['upgrade', '{ req.fhdr_cnt(upgrade) gt 0 }'],
  ...disguises.map((name) => ['disguise', `{ req.fhdr_cnt(${name}) gt 0 }`] as const),
];

export interface RuleInput {
  /** The map of names whose accounts have no narrower rule. */
  readonly whole: string;
  readonly narrowed: readonly Grant[];
  readonly allowed: string;
}

export function refusalRules({ whole, narrowed, allowed }: RuleInput): readonly string[] {
  const unless = '!{ var(txn.no) -m found }';
  return [
    'http-request set-var(txn.sni) ssl_fc_sni,lower',
    'http-request set-var(txn.host) req.fhdr(host),host_only,lower',
    ...against.map(
      ([code, condition]) => `http-request set-var(txn.no) str(${code}) if ${unless} ${condition}`,
    ),
    `http-request set-var(txn.grant) var(txn.sni),map_str(${whole})`,
    ...narrowed.map(narrowedRule),
    `http-request set-var(txn.no) str(grant) if ${unless} !{ var(txn.grant) -m found }`,
    // Read again by each request: what is taken from this list, in a worker of any age, passes no more.
    `http-request set-var(txn.no) str(grant) if ${unless} !{ var(txn.grant) -m str -f ${allowed} }`,
    `http-request deny deny_status 403 content-type text/plain lf-string "The gate refused this request: %[var(txn.no)]. ${saysMore}" hdr ${ownAnswer} refused if { var(txn.no) -m found }`,
  ];
}

/**
 * What a service might read as another path: dots and slashes that are encoded or doubled. It is asked only where a path
 * bounds what is let through.
 */
const otherwiseRead = '(%2e|%2f|%5c|%00|\\\\|//|/\\.\\.?(/|;|$))';

function narrowedRule({ account, backend, rule }: Grant): string {
  const conditions = [
    '!{ var(txn.grant) -m found }',
    `{ var(txn.sni) -m str ${account} }`,
    ...(rule.methods.length > 0 ? [`{ method ${rule.methods.join(' ')} }`] : []),
    ...(rule.path === null
      ? []
      : [`{ path,concat(/) -m beg '${rule.path}/' }`, `!{ path -m reg -i '${otherwiseRead}' }`]),
  ];
  return `http-request set-var(txn.grant) str(${backend}) if ${conditions.join(' ')}`;
}

/**
 * For all of them. No resumption of TLS sessions: each connection's name is judged anew. The log says of each stream how much
 * it carried and what was against it; never a path or a query, in which there may be a signature.
 */
export const gateDefaults = (revision: string): string => `global
  node ${revision}
  log stdout format raw daemon info
  default-path config
  maxconn 2000
  nbthread 2
  tune.ssl.cachesize 0
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-server-options ssl-min-ver TLSv1.2 no-tls-tickets
  ssl-server-verify required

defaults
  mode http
  log global
  option contstats
  option disable-h2-upgrade
  option dontlognull
  http-reuse safe
${ownErrors.map(([status, word, text]) => `  http-error status ${status} content-type text/plain string "The gate ${text}. ${saysMore}" hdr ${ownAnswer} ${word}`).join('\n')}
  timeout connect 5s
  timeout check 3s
  timeout queue 5s
  timeout http-request 10s
  timeout http-keep-alive 30s
  timeout client 60s
  timeout server 60s
  log-format "S %pid %b %U %B %ST %tsc %[var(txn.no)] %{+Q}[var(txn.sni)]"
  error-log-format "H %pid %f %[fc_err] %{+Q}[ssl_fc_sni]"
`;
