import { createServer } from 'node:net';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { applyBootstrap, forgetBootstrap, readBootstrap } from '../identity/bootstrap.ts';
import { UserError } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { ServiceAccount } from '../kinds/service-accounts.ts';
import { flawOfAccount } from '../network/gate-names.ts';
import type { ControlStore } from '../store/store.ts';
import { flawOfLogStore } from './log-store.ts';
import { flawOfNamed, namedAccounts, ServicesConfig, type Asked } from './services.ts';

const Milliseconds = Type.Integer({ minimum: 100, maximum: 600_000 });
const Rate = Type.Object({
  burst: Type.Integer({ minimum: 1 }),
  perSecond: Type.Number({ exclusiveMinimum: 0 }),
});

/** `config.json`: what an installation keeps for good. Everything in it may be set before the first start. */
const Config = Type.Object({
  /** Of the API, on loopback. 0: chosen at the next start and kept. */
  port: Type.Integer({ minimum: 0, maximum: 65_535 }),
  /** Where the service's own things lie: the region in addresses of operations. */
  location: Type.String({ pattern: '^[a-z][a-z0-9-]*$' }),
  tenantId: Type.String(),
  providerSubscription: Type.String(),
  customerSubscription: Type.String(),
  /** Accounts of services that operators can be let to: each with its ARM id, its one name, and where it stands. */
  accounts: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String({
          pattern: '^/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/[^/]+/[^/]+/[^/]+$',
        }),
        name: Type.String(),
        address: Type.String(),
        port: Type.Integer({ minimum: 1, maximum: 65_535 }),
        /** Certificate of who signs for the service, PEM. */
        authority: Type.String(),
        /** Nodes of clusters that may reach it keep their logs in this container, by this shared access signature. */
        logs: Type.Optional(Type.Object({ container: Type.String(), sas: Type.String() })),
      }),
    ),
  ),
  /** Services that stand in machines of this installation; their accounts need no entry in `accounts`. */
  services: Type.Optional(ServicesConfig),
  /** How long a client may take for its headers, and for a whole request; in milliseconds. */
  timeouts: Type.Optional(Type.Object({ headersMs: Milliseconds, requestMs: Milliseconds })),
  /** Minutes between two rounds in which the walls are tried with packets; 10 where it is left out, 0: never. */
  wallsMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 1440 })),
  /** How many requests one principal may make, where the defaults do not fit. */
  rates: Type.Optional(Type.Object({ reads: Rate, writes: Rate, deletes: Rate })),
});
export type Config = Static<typeof Config>;

const defaultLocation = 'eastus2';
const check = Compile(Type.Partial(Config));

/** Reads the configuration, takes the first two principals over where they are handed in, and settles on a port. */
export async function settleConfig(folder: string, store: ControlStore): Promise<Config> {
  const file = join(folder, 'config.json');
  const had = await readConfig(file);
  const bootstrapFile = join(folder, 'bootstrap.json');
  const bootstrap = await readBootstrap(bootstrapFile);
  const parties = bootstrap ? await applyBootstrap(store, bootstrap) : undefined;
  const config = { location: defaultLocation, ...had, ...parties, port: had.port || (await freePort()) };
  const { tenantId, providerSubscription, customerSubscription } = config;
  if (tenantId === undefined || providerSubscription === undefined || customerSubscription === undefined) {
    throw new UserError(
      'NotBootstrapped',
      `There is no ${bootstrapFile} with the first two principals.`,
      'Run sallyport up, which writes it.',
    );
  }
  const settled: Config = { ...config, tenantId, providerSubscription, customerSubscription };
  if (JSON.stringify(settled) !== JSON.stringify(had)) await writeJson(file, settled);
  if (bootstrap) await forgetBootstrap(bootstrapFile);
  return settled;
}

async function readConfig(file: string): Promise<Partial<Config>> {
  let value: unknown;
  try {
    value = (await readJson(file)) ?? {};
  } catch (cause) {
    throw new UserError(
      'ConfigInvalid',
      `${file} is not JSON.`,
      `Correct it, or delete it: its port is chosen anew then.`,
      cause,
    );
  }
  if (check.Check(value)) {
    checkAccounts(file, value.accounts ?? [], value);
    return value;
  }
  const flaw = check.Errors(value)[0];
  throw new UserError(
    'ConfigInvalid',
    `${file}: ${flaw?.instancePath ?? ''} ${flaw?.message ?? 'is invalid'}.`,
    'Correct what the message names.',
  );
}

/** What no policy could ever let through is said at the start, and not by a gate that leaves it out. */
export function checkAccounts(
  file: string,
  accounts: readonly NonNullable<Config['accounts']>[number][],
  asked: Partial<Asked> = {},
): void {
  const refuse = (at: string, why: string): never => {
    throw new UserError('ConfigInvalid', `${file}: ${at}: ${why}`, 'Correct it, and start again.');
  };
  const seen = new Map<string, string>();
  const once = (at: string, { id, name }: Pick<ServiceAccount, 'id' | 'name'>): void => {
    for (const key of [`id ${id.toLowerCase()}`, `name ${name}`]) {
      const before = seen.get(key);
      if (before !== undefined) refuse(at, `its ${key} is that of ${before} as well.`);
      seen.set(key, at);
    }
  };
  const logsOf = new Map<string, string>();
  const logsOnce = (at: string, id: string): void => {
    const subscription = id.split('/')[2]!.toLowerCase();
    const before = logsOf.get(subscription);
    if (before !== undefined)
      refuse(at, `the logs of subscription ${subscription} are kept in ${before} already.`);
    logsOf.set(subscription, at);
  };
  for (const [index, { id, name, address, port, authority, logs }] of accounts.entries()) {
    const at = `/accounts/${index}`;
    const rules = [{ methods: [], path: null }];
    const flaw = flawOfAccount({ name, enabled: true, upstream: { address, port, authority }, rules });
    if (flaw) refuse(at, flaw.message);
    once(at, { id, name });
    if (!logs) continue;
    const wrong = flawOfLogStore(id, logs);
    if (wrong !== undefined) refuse(at, wrong);
    logsOnce(at, id);
  }
  const ours = { location: defaultLocation, providerSubscription: 'provider', ...asked };
  for (const named of namedAccounts(ours)) {
    const flaw = flawOfNamed(named);
    if (flaw !== undefined) refuse(named.at, flaw);
    once(named.at, named);
    if (named.logs) logsOnce(named.at, named.id);
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
