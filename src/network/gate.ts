/**
 * The gate: which HTTPS requests pass from an operator to a named account, as HAProxy's configuration. A pure plan; every
 * word of it from outside has been held against gate-names.ts, and no secret is in it, only the paths of files that hold them.
 *
 * A *grant* is one rule of one account of one cluster, with the place it leads to. Each has a backend of its own, named by the
 * digest of all of it: what a stream is in says what let it in, also in a worker that runs on an older configuration.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { GateAccount, GateCluster, GateIntent, GateRule } from '../exchange/intents/gate.ts';
import type { Fault } from '../lib/errors.ts';
import { certificatesOf, flawOfAccount, flawOfCluster } from './gate-names.ts';
import { gateDefaults, ownAnswer, refusalRules, type Grant } from './gate-rules.ts';

export interface Flaw {
  readonly identity: string;
  /** Null: the cluster as a whole. */
  readonly account: string | null;
  readonly error: Fault;
}

/** What can be enforced of an intent, and what can't, each with its reason. */
export interface Judged {
  /** Their accounts are the enabled ones that are sound. */
  readonly clusters: readonly GateCluster[];
  readonly flaws: readonly Flaw[];
}

export interface GatePlan {
  /** Of all of it. A worker says by it what it runs with (`node` of `show info`). */
  readonly revision: string;
  /** Relative to the configuration's folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly grants: readonly Grant[];
  /** Frontend → the cluster that it is for. */
  readonly frontends: Readonly<Record<string, string>>;
}

export interface GateGround {
  /** The address that the proxy listens on. */
  readonly listen: string;
  /** The file with the key and the certificate for a cluster's account; absolute, or relative to the configuration's folder. */
  readonly certificate: (identity: string, account: string) => string;
}

export const gateConfiguration = 'haproxy.cfg';
/** Grants that hold. A worker is told of what no longer does, by this name. */
export const allowedFile = 'allowed.lst';

const mostFromOne = 200;

export function judgeGate(intent: GateIntent): Judged {
  const flaws: Flaw[] = [];
  const clusters = intent.clusters.flatMap((cluster) => {
    const { identity } = cluster;
    const error = flawOfCluster(cluster, intent.clusters);
    if (error) return (flaws.push({ identity, account: null, error }), []);
    const accounts = cluster.accounts.filter((account) => {
      const twin = cluster.accounts.some((other) => other !== account && other.name === account.name);
      const wrong: Fault | undefined = twin
        ? {
            code: 'TwinAccounts',
            message: `${account.name} is named twice; say once what may be asked of it.`,
          }
        : flawOfAccount(account);
      if (wrong) flaws.push({ identity, account: account.name, error: wrong });
      return !wrong && account.enabled;
    });
    return [{ ...cluster, accounts }];
  });
  return { clusters, flaws };
}

/** The grants of clusters that {@link judgeGate} has let through. */
export const grantsOf = (clusters: readonly GateCluster[]): readonly Grant[] =>
  clusters.flatMap((cluster) =>
    cluster.accounts.flatMap((account) =>
      rulesOf(account).map((rule) => ({
        backend: `g_${digest([cluster.identity, cluster.source, account.name, upstreamOf(account), rule])}`,
        identity: cluster.identity,
        account: account.name,
        rule,
        probe: `h_${digest([account.name, upstreamOf(account)])}`,
      })),
    ),
  );

export function planGate(clusters: readonly GateCluster[], ground: GateGround): GatePlan {
  const open = clusters.filter(({ accounts }) => accounts.length > 0);
  const grants = grantsOf(open);
  const accounts = open.flatMap((cluster) => cluster.accounts);
  const frontends = open.map((cluster) => frontend(cluster, grants, ground));
  const probes = new Map(
    open.flatMap((cluster) =>
      cluster.accounts.map((account) => [probeOf(grants, cluster, account), probe(account)] as const),
    ),
  );
  const body = [
    ...frontends.map(({ text: section }) => section),
    ...grants.map((grant) => backend(grant, accountOf(open, grant))),
    ...[...probes].map(([name, line]) => `backend ${name}\n  ${line}\n`),
  ].join('\n');
  const beside = {
    ...Object.fromEntries(accounts.map((account) => [authorityFile(account), authorityText(account)])),
    ...Object.assign({}, ...frontends.map(({ files }) => files)),
  } as Readonly<Record<string, string>>;
  const revision = digest([gateDefaults(''), body, Object.entries(beside).sort()]);
  return {
    revision,
    files: {
      ...beside,
      [gateConfiguration]: `${gateDefaults(revision)}\n${body}`,
      [allowedFile]: lines(grants.map((grant) => grant.backend)),
    },
    grants,
    frontends: Object.fromEntries(open.map(({ identity }) => [frontendName(identity), identity])),
  };
}

function frontend(cluster: GateCluster, grants: readonly Grant[], ground: GateGround) {
  const { identity, source, port, accounts } = cluster;
  const name = frontendName(identity);
  const own = grants.filter((grant) => grant.identity === identity);
  const isWhole = ({ rule }: Grant): boolean => rule.path === null && rule.methods.length === 0;
  const text = [
    `frontend ${name}`,
    `  bind ${isIPv6(ground.listen) ? `ipv6@[${ground.listen}]` : `ipv4@${ground.listen}`}:${port} ssl crt-list ${name}.crt alpn http/1.1 strict-sni`,
    // Of all that the proxy takes: one operator must not use up what is for the others.
    `  maxconn ${mostFromOne}`,
    `  tcp-request connection reject unless { src ${source} }`,
    ...refusalRules({
      whole: `${name}.map`,
      narrowed: own.filter((grant) => !isWhole(grant)),
      allowed: allowedFile,
    }).map((line) => `  ${line}`),
    '  use_backend %[var(txn.grant)]',
    '',
  ].join('\n');
  return {
    text,
    files: {
      [`${name}.crt`]: lines(
        accounts.map((account) => `${ground.certificate(identity, account.name)} ${account.name}`),
      ),
      [`${name}.map`]: lines(own.filter(isWhole).map((grant) => `${grant.account} ${grant.backend}`)),
    },
  };
}

const backend = (grant: Grant, account: GateAccount): string =>
  [
    `backend ${grant.backend}`,
    // The name is written anew: what the service reads is what was judged.
    `  http-request set-header Host ${account.name}`,
    `  http-response del-header ${ownAnswer}`,
    '  http-response deny deny_status 502 if { status 101 }',
    `  ${server(account)} track ${grant.probe}/s`,
    '',
  ].join('\n');

const probe = (account: GateAccount): string =>
  `${server(account)} check check-ssl check-sni ${account.name} check-alpn http/1.1 inter 2s fastinter 500ms downinter 1s fall 2 rise 1`;

const server = (account: GateAccount): string => {
  const { address, port } = account.upstream;
  const place = isIPv6(address) ? `ipv6@[${address}]:${port}` : `ipv4@${address}:${port}`;
  return `server s ${place} ssl verify required ca-file ${authorityFile(account)} sni str(${account.name}) verifyhost ${account.name} alpn http/1.1`;
};

/** A rule that bounds nothing makes the others idle. */
function rulesOf({ rules }: GateAccount): readonly GateRule[] {
  const normal = rules.map(({ methods, path }) => ({ methods: [...new Set(methods)].sort(), path }));
  const whole = normal.find(({ methods, path }) => methods.length === 0 && path === null);
  if (whole) return [whole];
  return normal.filter((rule, at) => normal.findIndex((other) => digest(other) === digest(rule)) === at);
}

const upstreamOf = (account: GateAccount) => [
  account.upstream.address,
  account.upstream.port,
  authorityText(account),
];
const authorityText = ({ upstream }: GateAccount): string => lines(certificatesOf(upstream.authority));
const authorityFile = (account: GateAccount): string => `a_${digest(authorityText(account))}.pem`;
const frontendName = (identity: string): string => `f_${digest(identity)}`;
const probeOf = (grants: readonly Grant[], cluster: GateCluster, account: GateAccount): string =>
  grants.find((grant) => grant.identity === cluster.identity && grant.account === account.name)!.probe;
const accountOf = (clusters: readonly GateCluster[], grant: Grant): GateAccount =>
  clusters
    .find(({ identity }) => identity === grant.identity)!
    .accounts.find(({ name }) => name === grant.account)!;
const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join('');
const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 20);
