/**
 * Megabytes a second that a node uploads to storage by the way nodes have: through the tunnel, its operator and the gate, which
 * ends TLS and begins it anew. Against the same client, in the gate's machine, straight to the same storage. Storage is Azurite in
 * a machine of the installation, so what storage itself takes is in both.
 */
import { until } from '../src/lib/clock.ts';
import { signForContainer } from '../src/lib/shared-access.ts';
import { ports } from '../src/network/ports.ts';
import { openServices } from '../test/harness/services.ts';
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

await benchTools();
/** Where it is copied to. */
let client: readonly string[] = [];
let accountId = '';
const ring = await openManagedRing({
  config({ providerSubscription }) {
    accountId = `/subscriptions/${providerSubscription}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/${account}`;
    return { services: { storage: { accounts: [{ id: accountId }] } } };
  },
});
const services = openServices(ring.stack, ring.provider);
try {
  client = services.program(new URL('blob-load.ts', import.meta.url));
  await ring.createDataCenter();
  const { authority } = await services.letOperators({
    storage: { service: 'Microsoft.Storage', serviceResources: [accountId] },
  });
  const query = signForContainer(
    { account, key: services.keyOf(account) },
    container,
    Date.now() + 3_600_000,
    'rcw',
  );
  const common = { name, container, query, connections, blobMegabytes, seconds };
  const straight = { ...services.place('storage'), ...common };
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
  const [made] = await services.storage(account, { method: 'PUT', path: `/${container}?restype=container` });
  if (!made?.startsWith('201')) throw new Error(`The container could not be made: ${made}`);
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
  services.close();
}

/** The operator's address in the tunnel: the first of the prefix that a node's own lies in. */
async function operatorAddress(): Promise<string> {
  const said = await services.inMachine('node', [
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
  return Number(await services.inMachine(kind, [...client, services.inFile(load)], (seconds + 30) * 1000));
}
