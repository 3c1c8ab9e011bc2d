/**
 * The services of a whole stack as their owner sees them: a policy that lets operators to them, and requests to them. Those are made
 * in the gate's machine, which alone has a way there.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArmClient } from '../../src/cli/arm/client.ts';
import { putResource } from '../../src/cli/arm/operation.ts';
import { silent } from '../../src/cli/output/progress.ts';
import { enterFromHost } from '../../src/fabric/launch.ts';
import { managedGroup, platform } from '../../src/kinds/platform.ts';
import { systemClock, until } from '../../src/lib/clock.ts';
import { exec } from '../../src/lib/exec.ts';
import type { Ask, Requests } from '../network/gate/blob.ts';
import type { Stack } from './stack.ts';

export type ServiceName = 'storage' | 'monitor';

/** What of an account a policy lets through; nothing but the account: all of it. */
export interface Definition {
  readonly service: string;
  readonly serviceResources: readonly string[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
}

export interface StackServices {
  /** Attaches a policy to the operators' subnet, and waits until the gate reaches for a cluster what it names. What it shows to that one is signed by `authority`. */
  letOperators(definitions: Readonly<Record<string, Definition>>): Promise<{ readonly authority: string }>;
  /** Where a service stands and by which authority it is known. */
  place(service: ServiceName): Place;
  /** The key of one of our storage accounts. */
  keyOf(account: string): string;
  /** What came of requests to an account of ours, each as `STATUS BODY`. */
  storage(account: string, ...ask: readonly Ask[]): Promise<readonly string[]>;
  /** What our Prometheus says to a question: the labels of each series, or why it says nothing. */
  monitor(query: string): Promise<readonly Readonly<Record<string, string>>[] | string>;
  /** Runs a program of the host's, as root, in the network of the first machine of a kind. */
  inMachine(kind: string, argv: readonly string[], timeoutMs?: number): Promise<string>;
  /** Writes what is secret, and must not be an argument, where root alone reads it. */
  inFile(content: object): string;
  /** A program of ours, as a command that can be run so. */
  program(url: URL): readonly string[];
  close(): void;
}

export interface Place {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly authority: string;
}

/** Of what control says of the installation. */
export interface GatePicture {
  readonly gate: {
    readonly state: string;
    readonly clusters: Readonly<
      Record<
        string,
        {
          readonly authority: string;
          readonly accounts: Readonly<Record<string, { readonly upstream: string | null }>>;
        }
      >
    >;
  } | null;
}

/** `provider`: a client of the provider's. */
export function openServices(stack: Stack, provider: ArmClient): StackServices {
  const folder = mkdtempSync(join(tmpdir(), 'services-'));
  const node = join(folder, 'node');
  copyFileSync(process.execPath, node);
  const disk = (service: ServiceName, path: string): string =>
    join(stack.home, 'fabric/machines', service, path);

  const inFile: StackServices['inFile'] = (content) => {
    const file = join(folder, `${randomBytes(4).toString('hex')}.json`);
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    return file;
  };
  const program: StackServices['program'] = (url) => {
    const copy = join(folder, basename(url.pathname));
    copyFileSync(fileURLToPath(url), copy);
    return [node, copy];
  };
  const inMachine: StackServices['inMachine'] = async (kind, argv, timeoutMs = 30_000) => {
    const init = Number(readFileSync(join(stack.home, 'run/fabric-init.pid'), 'utf8').split(' ')[0]);
    const { machines } = JSON.parse(readFileSync(join(stack.home, 'fabric/state.json'), 'utf8')) as {
      readonly machines: readonly { readonly kind: string; readonly pid: number | null }[];
    };
    const pid = machines.find((machine) => machine.kind === kind)?.pid;
    if (!pid) throw new Error(`There is no ${kind} that runs.`);
    const { command, args } = enterFromHost(init, pid, argv);
    return (await exec(command, args, { cwd: '/', timeoutMs })).stdout;
  };
  const place: StackServices['place'] = (service) => {
    const seed = JSON.parse(readFileSync(disk(service, `${service}-1.json`), 'utf8')) as {
      readonly authority: string;
    };
    const { address: host, port } = platform.services[service];
    return { host, port, authority: seed.authority };
  };
  const keyOf: StackServices['keyOf'] = (account) => {
    const keys = readFileSync(join(stack.home, 'control/authority/storage-keys.json'), 'utf8');
    return (JSON.parse(keys) as Record<string, string>)[account]!;
  };
  const requests = program(new URL('../network/gate/blob.ts', import.meta.url));
  const send = async (what: Requests): Promise<readonly string[]> => {
    const file = inFile(what);
    try {
      return JSON.parse(await inMachine('gate', [...requests, file])) as readonly string[];
    } finally {
      rmSync(file);
    }
  };
  const accounts = async () => {
    const { gate } = (await provider.get('/sallyport/status')) as unknown as GatePicture;
    return Object.values(gate?.clusters ?? {});
  };

  return {
    inFile,
    inMachine,
    place,
    keyOf,
    program,
    async letOperators(definitions) {
      const put = (id: string, properties: object, location?: string): Promise<unknown> =>
        putResource(
          provider,
          { ...(location && { location }), properties },
          { what: id, id, progress: silent },
        );
      const network = `${managedGroup(provider.subscriptionId)}/providers/Microsoft.Network`;
      const policy = `${network}/serviceEndpointPolicies/services`;
      await put(policy, {}, 'eastus2');
      for (const [name, definition] of Object.entries(definitions))
        await put(`${policy}/serviceEndpointPolicyDefinitions/${name}`, definition);
      await put(`${network}/virtualNetworks/${platform.name}/subnets/operators`, {
        addressPrefix: platform.subnets.operators,
        serviceEndpointPolicies: [{ id: policy }],
      });
      const named = Object.keys(definitions).length;
      return until(
        'the gate to reach what the policy names',
        async () =>
          (await accounts()).find(({ accounts: own }) => {
            const all = Object.values(own);
            return all.length >= named && all.every(({ upstream }) => upstream === 'up');
          }),
        { timeoutMs: 90_000, clock: systemClock },
      );
    },
    storage: (account, ...ask) =>
      send({
        ...place('storage'),
        ...{ name: `${account}.blob.core.windows.net`, account, key: keyOf(account), ask },
      }),
    async monitor(query) {
      const names = (await accounts()).flatMap((cluster) => Object.keys(cluster.accounts));
      const name = names.find((one) => one.endsWith('.prometheus.monitor.azure.com'));
      if (name === undefined) return 'No policy names the monitor.';
      const path = `/api/v1/query?query=${encodeURIComponent(query)}`;
      const [said = ''] = await send({
        ...place('monitor'),
        ...{ name, account: null, ask: [{ method: 'GET', path }] },
      });
      if (!said.startsWith('200 ')) return said;
      const { data } = JSON.parse(said.slice(4)) as {
        readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
      };
      return data.result.map(({ metric }) => metric);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
