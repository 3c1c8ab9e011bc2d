/**
 * Megabytes a second that a node uploads to storage by the way nodes have: through the tunnel, its operator and the gate, which
 * ends TLS and begins it anew. Against the same client, in the gate's machine, straight to the same storage. Storage is Azurite in
 * a machine of the installation, so what storage itself takes is in both.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createArmClient } from '../src/cli/arm/client.ts';
import { putResource } from '../src/cli/arm/operation.ts';
import { findSession } from '../src/cli/arm/session.ts';
import { silent } from '../src/cli/output/progress.ts';
import { enterFromHost } from '../src/fabric/launch.ts';
import { systemClock, until } from '../src/lib/clock.ts';
import { exec } from '../src/lib/exec.ts';
import { signForContainer } from '../src/lib/shared-access.ts';
import { ports } from '../src/network/ports.ts';
import type { Requests } from '../test/network/gate/blob.ts';
import type { BlobLoad } from './blob-load.ts';
import { benchTools } from './ground.ts';
import { openManagedRing } from './managed-ring.ts';
import { interleave, report } from './rounds.ts';

const rounds = Number(process.env['ROUNDS'] ?? 7);
const seconds = Number(process.env['SECONDS'] ?? 4);
const connections = Number(process.env['CONNECTIONS'] ?? 2);
const blobMegabytes = 4;
const account = 'logs';
const name = `${account}.blob.core.windows.net`;
const container = 'bench';
const storage = { host: '172.31.4.4', port: 10_000 };

await benchTools();
const scratch = mkdtempSync(join(tmpdir(), 'sallyport-bench-gate-'));

const client = [join(scratch, 'node'), join(scratch, 'blob-load.ts')];
copyFileSync(process.execPath, client[0]!);
copyFileSync(fileURLToPath(new URL('blob-load.ts', import.meta.url)), client[1]!);
const requests = [client[0]!, join(scratch, 'blob.ts')];
copyFileSync(fileURLToPath(new URL('../test/network/gate/blob.ts', import.meta.url)), requests[1]!);

let provider = '';
const accountId = (): string =>
  `${provider}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/${account}`;
const ring = await openManagedRing({
  config({ providerSubscription }) {
    provider = `/subscriptions/${providerSubscription}`;
    return { services: { storage: { accounts: [{ id: accountId() }] } } };
  },
});
try {
  await ring.createDataCenter();
  const { authority } = await attachPolicy();
  const keys = readFileSync(join(ring.stack.home, 'control/authority/storage-keys.json'), 'utf8');
  const key = (JSON.parse(keys) as Record<string, string>)[account]!;
  const query = signForContainer({ account, key }, container, Date.now() + 3_600_000, 'rcw');
  const straightAuthority = (
    JSON.parse(readFileSync(diskOf('storage-1.json'), 'utf8')) as { readonly authority: string }
  ).authority;
  const common = { name, container, query, connections, blobMegabytes, seconds };
  const straight = { ...storage, authority: straightAuthority, ...common };
  const byTheGate = { host: await operatorAddress(), port: ports.services, authority, ...common };
  const warm = (kind: string, load: BlobLoad) =>
    until(
      `the way from the ${kind}`,
      () =>
        upload(kind, { ...load, seconds: 1 }).catch((error: unknown) => {
          process.stderr.write(`${String(error).slice(0, 300)}\n`);
          return undefined;
        }),
      { timeoutMs: 60_000, everyMs: 1_000 },
    );
  await makeContainer({ ...storage, name, authority: straightAuthority, account, key });
  await warm('gate', straight);
  await warm('node', byTheGate);
  const pairs = await interleave(
    rounds,
    () => upload('node', byTheGate),
    () => upload('gate', straight),
  );
  report({
    name: `upload of blobs of ${blobMegabytes} MB, ${connections} under way: node, tunnel, operator, gate, storage`,
    unit: 'MB/s',
    goal: '≥ 0.7 of straight to storage',
    pairs,
  });
} finally {
  await ring.close();
  rmSync(scratch, { recursive: true, force: true });
}

function diskOf(path: string): string {
  return join(ring.stack.home, 'fabric/machines/storage', path);
}

/** Waits until the gate reaches storage. What it shows to the cluster is signed by `authority`. */
async function attachPolicy(): Promise<{ readonly authority: string }> {
  const session = await findSession(ring.home, {}, { as: 'provider', subscription: undefined });
  const arm = createArmClient(session, { clock: systemClock, signal: new AbortController().signal });
  const network = `${provider}/resourceGroups/sallyport-managed/providers/Microsoft.Network`;
  const policy = `${network}/serviceEndpointPolicies/bench`;
  const put = (id: string, properties: object, location?: string): Promise<unknown> =>
    putResource(arm, { ...(location && { location }), properties }, { what: id, id, progress: silent });
  await put(policy, {}, 'eastus2');
  await put(`${policy}/serviceEndpointPolicyDefinitions/storage`, {
    service: 'Microsoft.Storage',
    serviceResources: [accountId()],
  });
  await put(`${network}/virtualNetworks/sallyport-platform/subnets/operators`, {
    addressPrefix: '172.31.1.0/24',
    serviceEndpointPolicies: [{ id: policy }],
  });
  interface Cluster {
    readonly authority: string;
    readonly accounts: Readonly<Record<string, { readonly upstream: string | null } | undefined>>;
  }
  return await until(
    'the gate to reach storage',
    async () => {
      const { gate } = (await arm.get('/sallyport/status')) as unknown as {
        readonly gate: { readonly clusters: Readonly<Record<string, Cluster>> } | null;
      };
      return Object.values(gate?.clusters ?? {}).find(({ accounts }) => accounts[name]?.upstream === 'up');
    },
    { timeoutMs: 90_000 },
  );
}

async function makeContainer(to: Omit<Requests, 'ask'>): Promise<void> {
  const ask = [{ method: 'PUT', path: `/${container}?restype=container` }];
  const said = await inMachine('gate', [...requests, inFile({ ...to, ask })]);
  if (!said.includes('201')) throw new Error(`The container could not be made: ${said}`);
}

/** What is secret is no argument. */
function inFile(content: object): string {
  const file = join(scratch, `${randomBytes(4).toString('hex')}.json`);
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return file;
}

interface Known {
  readonly kind: string;
  readonly pid: number | null;
}

async function inMachine(kind: string, argv: readonly string[]): Promise<string> {
  const { home } = ring.stack;
  const init = Number(readFileSync(join(home, 'run/fabric-init.pid'), 'utf8').split(' ')[0]);
  const { machines } = JSON.parse(readFileSync(join(home, 'fabric/state.json'), 'utf8')) as {
    readonly machines: readonly Known[];
  };
  const pid = machines.find((machine) => machine.kind === kind)?.pid;
  if (!pid) throw new Error(`There is no ${kind} that runs.`);
  const { command, args } = enterFromHost(init, pid, argv);
  return (await exec(command, args, { cwd: '/', timeoutMs: (seconds + 30) * 1000 })).stdout;
}

/** The operator's address in the tunnel: the first of the prefix that a node's own lies in. */
async function operatorAddress(): Promise<string> {
  const said = await inMachine('node', [
    'ip',
    '-6',
    '-o',
    'address',
    'show',
    'dev',
    'wg0',
    'scope',
    'global',
  ]);
  const base = /inet6 (fd[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):/.exec(said)?.[1];
  if (base === undefined) throw new Error(`The node has no address in a tunnel: ${said}`);
  return `${base}::1`;
}

async function upload(kind: string, load: BlobLoad): Promise<number> {
  return Number(await inMachine(kind, [...client, inFile(load)]));
}
