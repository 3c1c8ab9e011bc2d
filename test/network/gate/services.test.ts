/** Storage in a machine of its own: real Azurite, which operators reach by the gate alone. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { createArmClient } from '../../../src/cli/arm/client.ts';
import { putResource } from '../../../src/cli/arm/operation.ts';
import { findSession } from '../../../src/cli/arm/session.ts';
import { findHome } from '../../../src/cli/home.ts';
import { enterFromHost } from '../../../src/fabric/launch.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { execStatus } from '../../../src/lib/exec.ts';
import type { GatePicture } from '../../harness/services.ts';
import { configure, createStack } from '../../harness/stack.ts';
import { demandAzurite } from '../../harness/tools.ts';
import type { Requests } from './blob.ts';

const logs = 'logs.blob.core.windows.net';
const evil = 'evil.blob.core.windows.net';
const metrics = 'monitor.eastus2.prometheus.monitor.azure.com';
const hasPrometheus = existsSync('/usr/bin/prometheus');
const storage = { host: '172.31.4.4', port: 10_000 };
const gate = { host: '172.31.3.4', port: 443 };

interface Picture extends GatePicture {
  readonly machines: readonly {
    readonly kind: string;
    readonly state: string;
    readonly service?: { readonly answers: boolean; readonly error: string | null };
  }[];
}
interface Known {
  readonly id: string;
  readonly kind: string;
  readonly pid: number | null;
  readonly uid: number | null;
}

test(
  'storage of the installation: one account by the gate, another’s by no way, and back after its death',
  { timeout: 500_000 },
  async (t) => {
    demandAzurite();
    await using stack = await createStack();
    const scratch = mkdtempSync(join(tmpdir(), 'services-'));
    t.after(() => rmSync(scratch, { recursive: true, force: true }));
    chmodSync(scratch, 0o755);
    const node = join(scratch, 'node');
    const client = join(scratch, 'blob.ts');
    copyFileSync(process.execPath, node);
    copyFileSync(fileURLToPath(new URL('blob.ts', import.meta.url)), client);

    const storageAccounts = 'resourceGroups/data/providers/Microsoft.Storage/storageAccounts';
    const attackers = `/subscriptions/00000000-0000-4000-8000-00000000dead/${storageAccounts}/evil`;
    const { providerSubscription } = await configure(stack, (settled) => {
      const id = `/subscriptions/${settled.providerSubscription}/${storageAccounts}/logs`;
      const accounts = [{ id, logs: { container: 'cassandra' } }, { id: attackers }];
      return { services: { storage: { accounts }, monitor: {} } };
    });
    const subscription = `/subscriptions/${providerSubscription}`;
    const account = `${subscription}/${storageAccounts}/logs`;
    await stack.json(['up', '-o', 'json'], { timeoutMs: 200_000 });

    const home = findHome({ SALLYPORT_HOME: stack.home });
    const session = await findSession(home, {}, { as: 'provider', subscription: undefined });
    const arm = createArmClient(session, { clock: systemClock, signal: t.signal });
    const picture = async (): Promise<Picture> => (await arm.get('/sallyport/status')) as unknown as Picture;
    const answering = (answers: boolean) =>
      until(
        `storage ${answers ? 'to answer' : 'to be known to be down'}`,
        async () => {
          const machine = (await picture()).machines.find(({ kind }) => kind === 'storage');
          return machine?.service?.answers === answers || undefined;
        },
        { timeoutMs: 60_000 },
      );
    await answering(true);
    assert.match((await stack.run(['status'])).stdout, /storage +172\.31\.4\.4 +yes/);
    assert.match((await stack.run(['logs', 'storage'])).stdout, /successfully listens/);
    await until(
      hasPrometheus ? 'monitoring to answer' : 'monitoring to say what is missing',
      async () => {
        const { service } = (await picture()).machines.find(({ kind }) => kind === 'monitor')!;
        return (hasPrometheus ? service?.answers : service?.error?.includes('apt-get install')) || undefined;
      },
      { timeoutMs: 30_000 },
    );

    // Its keys are nobody's to see in a list of processes or in a log.
    const disk = join(stack.home, 'fabric/machines/storage');
    const kept = join(stack.home, 'control/authority/storage-keys.json');
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    const keys = JSON.parse(readFileSync(kept, 'utf8')) as { readonly logs: string; readonly evil: string };
    assert.equal(Buffer.from(keys.logs, 'base64').length, 64);
    assert.notEqual(keys.logs, keys.evil);
    const shown = await execStatus('ps', ['-eo', 'args', '-ww']);
    const log = readFileSync(join(disk, 'log/storage.log'), 'utf8');
    for (const key of Object.values(keys))
      assert.ok(!shown.stdout.includes(key) && !log.includes(key), 'a key is seen');

    // A cluster's operator is who asks; the policy names one account of the two.
    await stack.json(['group', 'create', '-n', 'rg', '-l', 'eastus2', '-o', 'json']);
    await stack.json(
      [
        ...['managed-cassandra', 'cluster', 'create', '-g', 'rg', '-c', 'c1', '-l', 'eastus2', '-o', 'json'],
        ...['--azure-connection-method', 'VPN', '--initial-cassandra-admin-password', 'password'],
      ],
      { timeoutMs: 120_000 },
    );
    const progress = { show: () => undefined, clear: () => undefined };
    const put = (id: string, properties: object, location?: string): Promise<unknown> =>
      putResource(arm, { ...(location && { location }), properties }, { what: id, id, progress });
    const network = `${subscription}/resourceGroups/sallyport-managed/providers/Microsoft.Network`;
    const policy = `${network}/serviceEndpointPolicies/sep1`;
    await put(policy, {}, 'eastus2');
    await put(`${policy}/serviceEndpointPolicyDefinitions/d`, {
      service: 'Microsoft.Storage',
      serviceResources: [account],
    });
    await put(`${policy}/serviceEndpointPolicyDefinitions/m`, {
      service: 'Microsoft.Insights',
      serviceResources: [`${subscription}/resourceGroups/sallyport-managed`],
      paths: ['/-/ready'],
    });
    await put(`${network}/virtualNetworks/sallyport-platform/subnets/operators`, {
      addressPrefix: '172.31.1.0/24',
      serviceEndpointPolicies: [{ id: policy }],
    });
    const upstream = (state: string) =>
      until(
        `the gate to say that storage is ${state}`,
        async () => {
          const [cluster] = Object.values((await picture()).gate?.clusters ?? {});
          return cluster?.accounts[logs]?.upstream === state || undefined;
        },
        { timeoutMs: 60_000 },
      );
    await upstream('up');
    const [said] = Object.values((await picture()).gate!.clusters);
    assert.deepEqual(Object.keys(said!.accounts).sort(), [logs, metrics]);

    const fabricInit = (): number =>
      Number(readFileSync(join(stack.home, 'run/fabric-init.pid'), 'utf8').split(' ')[0]);
    let init = fabricInit();
    const known = (kind: string): Known =>
      (
        JSON.parse(readFileSync(join(stack.home, 'fabric/state.json'), 'utf8')) as {
          readonly machines: readonly Known[];
        }
      ).machines.find((machine) => machine.kind === kind)!;
    const from = async (
      kind: string,
      to: Pick<Requests, 'host' | 'port'>,
      name: string,
      ask: Requests['ask'],
      authority = said!.authority,
    ): Promise<readonly string[]> => {
      const owner = name.split('.')[0]!;
      // Prometheus knows no keys.
      const key = (keys as Readonly<Record<string, string | undefined>>)[owner] ?? '';
      const requests: Requests = { ...to, name, authority, account: owner, key, ask };
      const file = join(scratch, `${randomBytes(4).toString('hex')}.json`);
      writeFileSync(file, JSON.stringify(requests), { mode: 0o600 });
      const { command, args } = enterFromHost(init, known(kind).pid!, [node, client, file]);
      const ran = await execStatus(command, args, { cwd: '/', timeoutMs: 60_000 });
      assert.equal(ran.exitCode, 0, ran.stderr);
      return JSON.parse(ran.stdout) as readonly string[];
    };
    const write = (body: string) => [
      { method: 'PUT', path: '/nodes?restype=container' },
      { method: 'PUT', path: '/nodes/a.log', headers: { 'x-ms-blob-type': 'BlockBlob' }, body },
      { method: 'GET', path: '/nodes/a.log' },
    ];
    await until(
      'the operator to know of the gate',
      async () =>
        (await from('operator', gate, logs, write('0').slice(2)))[0]!.startsWith('404') || undefined,
      { timeoutMs: 20_000 },
    );
    assert.deepEqual(await from('operator', gate, logs, write('one line')), ['201', '201', '200 one line']);
    const containers = await from('operator', gate, logs, [
      { method: 'HEAD', path: '/cassandra?restype=container' },
    ]);
    assert.deepEqual(containers, ['200'], 'the container for logs is made');

    const ready = (path: string) => from('operator', gate, metrics, [{ method: 'GET', path }]);
    if (hasPrometheus) assert.match((await ready('/-/ready'))[0]!, /^200/);
    assert.match((await ready('/api/v1/labels'))[0]!, /^403 .*grant/s, 'the policy narrows');

    // The attacker's account is as real, and its key is right; the gate refuses its name.
    const [fronted] = await from('operator', gate, evil, write('booty'));
    assert.doesNotMatch(fronted!, /^\d/, 'no HTTP at all');
    // Past the gate there is no way, while from the gate's own machine there is one: so the silence is a wall's.
    const { authority } = JSON.parse(readFileSync(join(disk, 'storage-1.json'), 'utf8')) as {
      authority: string;
    };
    const past = write('booty').slice(0, 1);
    assert.deepEqual(await from('operator', storage, evil, past, authority), ['silent']);
    assert.deepEqual(await from('operator', storage, logs, past, authority), ['silent']);
    assert.deepEqual(await from('gate', storage, logs, write('').slice(2), authority), ['200 one line']);
    // Nor does it begin anything itself, be it to control.
    assert.match((await from('storage', { host: '172.31.0.4', port: 8443 }, logs, past))[0]!, /silent|EPERM/);

    // Killed, it is told to be down, and comes back with all that it has had.
    await until(
      'what was written to be on its disk',
      () =>
        readFileSync(join(disk, 'storage/blobs/__azurite_db_blob__.json'), 'utf8').includes('a.log') ||
        undefined,
      { timeoutMs: 20_000 },
    );
    const loop = join(disk, 'log/storage.log');
    const before = readFileSync(loop, 'utf8').length;
    // It is back within seconds, sooner than the gate looks again: so it dies as often as it takes to be noticed.
    await until(
      'the gate to say that storage is down',
      async () => {
        const { pid } = known('storage');
        if (pid)
          await execStatus('nsenter', ['-t', String(init), '-m', '-p', '--', 'kill', '-9', String(pid)]);
        const [cluster] = Object.values((await picture()).gate?.clusters ?? {});
        return cluster?.accounts[logs]?.upstream === 'down' || undefined;
      },
      { timeoutMs: 60_000 },
    );
    await upstream('up');
    await answering(true);
    assert.ok(readFileSync(loop, 'utf8').slice(before).includes('successfully listens'));
    assert.deepEqual(await from('operator', gate, logs, write('').slice(2)), ['200 one line']);

    // What was answered a moment before `down` is there after `up`.
    const last = await from('operator', gate, logs, write('another line').slice(1, 2));
    await stack.run(['down']);
    assert.deepEqual(last, ['201']);
    await stack.json(['up', '-o', 'json'], { timeoutMs: 200_000 });
    init = fabricInit();
    await upstream('up');
    let heard = '';
    await until(
      'the operator to reach storage again',
      async () => {
        if (known('operator').pid === null) return undefined;
        heard = (await from('operator', gate, logs, write('').slice(2)))[0]!;
        return heard.startsWith('200') || undefined;
      },
      { timeoutMs: 30_000 },
    );
    assert.equal(heard, '200 another line');
  },
);
