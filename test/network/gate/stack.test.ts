/** The whole way of a policy: from ARM to control, the fabric, the gate and an operator's own walls. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { createArmClient } from '../../../src/cli/arm/client.ts';
import { finish, putResource } from '../../../src/cli/arm/operation.ts';
import { findSession } from '../../../src/cli/arm/session.ts';
import { findHome } from '../../../src/cli/home.ts';
import { enterFromHost } from '../../../src/fabric/launch.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { execStatus } from '../../../src/lib/exec.ts';
import { createAuthority } from '../../../src/lib/x509.ts';
import { configure, createStack } from '../../harness/stack.ts';

const name = 'logs.blob.core.windows.net';
interface Picture {
  readonly gate: {
    readonly state: string;
    readonly upToDate: boolean;
    readonly refused: number;
    readonly clusters: Readonly<
      Record<
        string,
        {
          readonly authority: string;
          readonly accounts: Readonly<
            Record<string, { readonly state: string; readonly upstream: string | null }>
          >;
        }
      >
    >;
  } | null;
  readonly machines: readonly { readonly id: string; readonly kind: string; readonly state: string }[];
}

test(
  'a policy attached to the operators’ subnet makes the gate, and is in force',
  { timeout: 400_000 },
  async (t) => {
    await using stack = await createStack();
    const scratch = mkdtempSync(join(tmpdir(), 'gate-stack-'));
    t.after(() => rmSync(scratch, { recursive: true, force: true }));
    chmodSync(scratch, 0o755);
    const node = join(scratch, 'node');
    const inside = join(scratch, 'inside.ts');
    copyFileSync(process.execPath, node);
    copyFileSync(fileURLToPath(new URL('inside.ts', import.meta.url)), inside);

    const { certificate } = await createAuthority('storage', { days: 1, now: Date.now() });
    const { providerSubscription, accounts } = await configure(stack, (settled) => {
      const id = `/subscriptions/${settled.providerSubscription}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/logs`;
      // Nothing stands at that address: that it is down has to be told.
      return { accounts: [{ id, name, address: '172.31.4.4', port: 443, authority: certificate }] };
    });
    const subscription = `/subscriptions/${providerSubscription}`;
    const account = accounts[0]!.id;
    await stack.json(['up', '-o', 'json'], { timeoutMs: 200_000 });
    await stack.json(['group', 'create', '-n', 'rg', '-l', 'eastus2', '-o', 'json']);
    await stack.json(
      [
        ...['managed-cassandra', 'cluster', 'create', '-g', 'rg', '-c', 'c1', '-l', 'eastus2', '-o', 'json'],
        ...['--azure-connection-method', 'VPN', '--initial-cassandra-admin-password', 'password'],
      ],
      { timeoutMs: 120_000 },
    );

    const home = findHome({ SALLYPORT_HOME: stack.home });
    const session = await findSession(home, {}, { as: 'provider', subscription: undefined });
    const client = createArmClient(session, { clock: systemClock, signal: t.signal });
    const progress = { show: () => undefined, clear: () => undefined };
    const put = (id: string, properties: object, location?: string): Promise<unknown> =>
      putResource(client, { ...(location && { location }), properties }, { what: id, id, progress });
    const network = `${subscription}/resourceGroups/sallyport-managed/providers/Microsoft.Network`;
    const policy = `${network}/serviceEndpointPolicies/sep1`;
    const operators = `${network}/virtualNetworks/sallyport-platform/subnets/operators`;
    const attach = (...ids: readonly string[]) =>
      put(operators, { addressPrefix: '172.31.1.0/24', serviceEndpointPolicies: ids.map((id) => ({ id })) });
    await put(policy, {}, 'eastus2');
    await put(`${policy}/serviceEndpointPolicyDefinitions/d`, {
      service: 'Microsoft.Storage',
      serviceResources: [account],
    });
    const picture = async (): Promise<Picture> =>
      (await client.get('/sallyport/status')) as unknown as Picture;
    assert.equal((await picture()).gate, null);
    await attach(policy);

    // Succeeded means in force.
    const { gate, machines } = await picture();
    assert.equal(gate?.state, 'passing', JSON.stringify(gate));
    const [identity, said] = Object.entries(gate.clusters)[0]!;
    assert.equal(said.accounts[name]?.state, 'open', identity);
    await until(
      'the account to be known to be down',
      async () => {
        const seen = Object.values((await picture()).gate!.clusters)[0]!.accounts[name]!;
        return seen.upstream === 'down' || undefined;
      },
      { timeoutMs: 20_000 },
    );

    const shown = (await stack.run(['status'])).stdout;
    assert.match(shown, /logs\.blob\.core\.windows\.net +c1 +open +down/);
    assert.match(shown, /gate: logs\.blob\.core\.windows\.net does not answer at 172\.31\.4\.4, port 443/);

    // From the operator's own network, as its own door and the router let it.
    writeFileSync(join(scratch, 'gate.pem'), said.authority);
    const operator = machines.find(({ kind }) => kind === 'operator')!.id;
    const init = Number(readFileSync(join(stack.home, 'run/fabric-init.pid'), 'utf8').split(' ')[0]);
    const state = JSON.parse(readFileSync(join(stack.home, 'fabric/state.json'), 'utf8')) as {
      readonly machines: readonly { readonly id: string; readonly pid: number }[];
    };
    const { pid } = state.machines.find(({ id }) => id === operator)!;
    const ask = async (to: string, sni: string): Promise<string> => {
      const { command, args } = enterFromHost(init, pid, [
        node,
        inside,
        'ask',
        to,
        sni,
        join(scratch, 'gate.pem'),
      ]);
      const ran = await execStatus(command, args, { cwd: '/', timeoutMs: 15_000 });
      return `${ran.stdout}${ran.stderr}`.trim();
    };
    await until(
      'the operator to know of the gate',
      async () => (await ask('172.31.3.4', name)).startsWith('HTTP/1.1 503') || undefined,
      { timeoutMs: 20_000 },
    );
    const relay = (what: string): Promise<true> =>
      until(
        `the operator to say that services are ${what} reach`,
        async () => (await stack.run(['logs', 'operator-c1'])).stdout.includes(`${what} reach`) || undefined,
        { timeoutMs: 20_000, everyMs: 500 },
      );
    await relay('within');
    assert.doesNotMatch(await ask('172.31.3.4', 'attacker.blob.core.windows.net'), /HTTP/);
    assert.equal(await ask('172.31.4.4', name), 'silent');

    // Network Watcher's check has a packet sent, on the whole way from control to the machine and back.
    const [machine] = await client.list(
      `${network.replace('Microsoft.Network', 'Microsoft.Compute')}/virtualMachines`,
    );
    const connectivity = async (address: string): Promise<readonly unknown[]> => {
      const watcher = `${subscription}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_eastus2`;
      const body = { source: { resourceId: machine!['id'] }, destination: { address, port: 443 } };
      const asked = await client.send('POST', `${watcher}/connectivityCheck`, body);
      const answer = await finish(client, asked, { what: 'connectivity', id: watcher, progress });
      return [answer['connectionStatus'], answer['probesSent'], answer['probesFailed']];
    };
    assert.deepEqual(await connectivity('172.31.3.4'), ['Reachable', 2, 0]);
    assert.deepEqual(await connectivity('172.31.4.4'), ['Unreachable', 2, 2]);

    await attach();
    assert.equal((await picture()).gate?.state, 'closed');
    assert.equal(await ask('172.31.3.4', name), 'silent');
    await relay('out of');
  },
);
