/** Services that an installation asks for: their accounts as policies name them, and what their machines are seeded with. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { AccountKey, serviceSeedName } from '../exchange/intents/service.ts';
import type { ServiceKind, ServiceSeed } from '../exchange/intents/service.ts';
import { revise } from '../exchange/revision.ts';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import { createAuthority, issue, type Authority } from '../lib/x509.ts';
import { managedGroup, platform } from '../kinds/platform.ts';
import type { ServiceAccount, ServiceMachine } from '../kinds/service-accounts.ts';
import { flawOfContainer } from './log-store.ts';

const closed = { additionalProperties: false } as const;
const isKeys = Compile(Type.Record(Type.String(), AccountKey));

/** `services` in config.json. */
export const ServicesConfig = Type.Object(
  {
    storage: Type.Optional(
      Type.Object(
        {
          accounts: Type.Array(
            Type.Object(
              {
                id: Type.String(),
                /** Nodes of clusters that may reach it keep their logs in this container; it and the right to are made here. */
                logs: Type.Optional(Type.Object({ container: Type.String() }, closed)),
              },
              closed,
            ),
            { minItems: 1, maxItems: 32 },
          ),
        },
        closed,
      ),
    ),
    /** Left out, its `id` is one in the provider's subscription. */
    monitor: Type.Optional(Type.Object({ id: Type.Optional(Type.String()) }, closed)),
  },
  closed,
);
type ServicesConfig = Static<typeof ServicesConfig>;

/** What of a configuration says which services there are, and how they are called. */
export interface Asked {
  readonly services?: ServicesConfig | undefined;
  readonly location: string;
  readonly providerSubscription: string;
}

/** An account of a service of ours; where it stands follows from its kind. */
export interface NamedAccount extends Pick<ServiceAccount, 'id' | 'name'> {
  readonly kind: ServiceKind;
  /** The last part of its id. */
  readonly account: string;
  /** Where in config.json it stands. */
  readonly at: string;
  readonly logs?: { readonly container: string } | undefined;
}

const lastOf = (id: string): string => id.split('/').at(-1)!;

export function namedAccounts({ services, location, providerSubscription }: Asked): readonly NamedAccount[] {
  const group = managedGroup(providerSubscription);
  const monitor =
    services?.monitor && (services.monitor.id ?? `${group}/providers/Microsoft.Monitor/accounts/monitor`);
  return [
    ...(services?.storage?.accounts ?? []).map(({ id, logs }, index): NamedAccount => ({
      ...{ kind: 'storage', id, logs, account: lastOf(id), at: `/services/storage/accounts/${index}` },
      name: `${lastOf(id)}.blob.core.windows.net`,
    })),
    ...(monitor === undefined
      ? []
      : [
          {
            ...{ kind: 'monitor' as const, id: monitor, account: lastOf(monitor), at: '/services/monitor' },
            name: `${lastOf(monitor).toLowerCase()}.${location}.prometheus.monitor.azure.com`,
          },
        ]),
  ];
}

const group = '^/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers';
const shapes: Readonly<Record<ServiceKind, { readonly id: RegExp; readonly like: string }>> = {
  storage: {
    id: new RegExp(`${group}/Microsoft\\.Storage/storageAccounts/[a-z0-9]{3,24}$`),
    like: '/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME, NAME of 3 to 24 lower-case letters and digits',
  },
  monitor: {
    id: new RegExp(`${group}/Microsoft\\.Monitor/accounts/[A-Za-z0-9](?:[A-Za-z0-9-]{0,42}[A-Za-z0-9])?$`),
    like: '/subscriptions/…/resourceGroups/…/providers/Microsoft.Monitor/accounts/NAME, NAME of up to 44 letters, digits and hyphens',
  },
};

/** What is wrong with an account of ours by itself; undefined: nothing. */
export function flawOfNamed({ kind, id, logs }: NamedAccount): string | undefined {
  const { id: pattern, like } = shapes[kind];
  if (!pattern.test(id)) return `${JSON.stringify(id.slice(0, 200))} has to be like ${like}.`;
  return logs && flawOfContainer(logs.container);
}

export interface Services {
  readonly accounts: readonly ServiceAccount[];
  readonly machines: readonly ServiceMachine[];
}

interface Served extends Authority {
  readonly number: number;
  readonly names: readonly string[];
  readonly accounts: readonly string[];
  /** A digest of what else is in the seed; left out where nothing is. */
  readonly more?: string | undefined;
}

const authorityDays = 3650;
const leafDays = 397;
/** A leaf is issued anew at a start when less than this is left. */
const renewBeforeMs = 60 * 86_400_000;

/** One authority for the services of an installation, which signs for nothing else; made when one is first asked for. */
export async function openServices(folder: string, asked: Asked, clock: Clock): Promise<Services> {
  const named = namedAccounts(asked);
  if (named.length === 0) return { accounts: [], machines: [] };
  const now = clock.now();
  const at = (name: string): string => join(folder, 'authority', `${name}.json`);
  const had = await readJson<Authority>(at('services'));
  const authority = had ?? (await createAuthority('Sallyport services', { days: authorityDays, now }));
  if (!had) await writeJson(at('services'), authority);

  const stored = named.filter(({ kind }) => kind === 'storage');
  const keys = await accountKeys(at('storage-keys'), stored);
  const containers = Object.fromEntries(
    stored.flatMap(({ account, logs }) => (logs ? [[account, logs.container]] : [])),
  );
  const machines: ServiceMachine[] = [];
  for (const kind of ['storage', 'monitor'] as const) {
    const own = named.filter((one) => one.kind === kind);
    if (own.length === 0) continue;
    const more = kind === 'storage' ? { keys, containers } : {};
    const served = await serve(at(`services-${kind}`), authority, own, more, now);
    const seed: ServiceSeed = {
      ...{ version: 1, number: served.number, names: [...served.names] },
      accounts: kind === 'storage' ? [...served.accounts] : [],
      ...more,
      gate: platform.gate.address,
      authority: authority.certificate,
      ...{ certificate: served.certificate, privateKey: served.privateKey },
    };
    machines.push({ kind, seed: { [serviceSeedName(kind, seed.number)]: `${JSON.stringify(seed)}\n` } });
  }
  const accounts = named.map(({ kind, id, name, account, logs }) => {
    const { address, port } = platform.services[kind];
    return {
      ...{ id, name, address, port, authority: authority.certificate },
      ...(logs && { logs: { ...logs, account, key: keys[account]! } }),
    };
  });
  return { accounts, machines };
}

/**
 * A key of 64 random bytes for each account, made once. That of an account which is served no more is kept: its blobs are, too, until
 * the machine goes.
 */
async function accountKeys(
  file: string,
  stored: readonly NamedAccount[],
): Promise<Readonly<Record<string, string>>> {
  const had: unknown = await readJson(file).catch((error: unknown) => {
    if (error instanceof SyntaxError) return null;
    throw error;
  });
  const keys = had === undefined ? {} : had;
  if (!isKeys.Check(keys))
    throw new UserError(
      'ConfigInvalid',
      `${file} is no list of accounts and their keys.`,
      'Correct it, or delete it: all keys are made anew then, and what was signed with the old ones is worth nothing.',
    );
  // An account may be called `constructor`.
  const missing = stored.filter(({ account }) => !Object.hasOwn(keys, account));
  for (const { account } of missing) keys[account] = randomBytes(64).toString('base64');
  if (missing.length > 0) await writeJson(file, keys, 0o600);
  return Object.fromEntries(stored.map(({ account }) => [account, keys[account]!]));
}

/** Key, certificate and what they are for are one file, and keep their number for as long as they hold. */
async function serve(
  file: string,
  authority: Authority,
  own: readonly NamedAccount[],
  rest: object,
  now: number,
): Promise<Served> {
  const names = own.map(({ name }) => name);
  const accounts = own.map(({ account }) => account);
  const more = Object.keys(rest).length > 0 ? revise(rest).revision : undefined;
  const had = await readJson<Served>(file);
  if (
    had &&
    JSON.stringify([had.names, had.accounts, had.more]) === JSON.stringify([names, accounts, more])
  ) {
    const left = Date.parse(new X509Certificate(had.certificate).validTo) - now;
    if (left > renewBeforeMs) return had;
  }
  const profile = { commonName: own[0]!.kind, dns: names, use: ['server' as const], days: leafDays, now };
  const made = {
    ...(await issue(authority, profile)),
    number: (had?.number ?? 0) + 1,
    names,
    accounts,
    more,
  };
  await writeJson(file, made);
  return made;
}
