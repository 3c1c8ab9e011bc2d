/**
 * The how-to of the reference document, from create to delete, by real clients: real packets, real rings. They share one
 * fabric, and each has a group, a network and a cluster of its own in it. az is slow by itself, so two SDKs in turn go beside it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../src/lib/exec.ts';
import { needAz } from '../harness/az.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { clients, installSdks, sdkNames } from './clients/clients.ts';
import { runSdk, type Given } from './clients/run.ts';

const script = fileURLToPath(new URL('./az/how-to.sh', import.meta.url));
const bounds = { timeout: 1_200_000 };

let stack: Stack;
before(async () => {
  stack = await createStack();
  const up = await stack.run(['up'], { timeoutMs: 300_000 });
  assert.equal(up.exitCode, 0, up.stderr);
}, bounds);
after(() => stack?.[Symbol.asyncDispose](), bounds);

describe('the how-to', { concurrency: 2, ...bounds }, () => {
  test("the reference document's lines, literally, with the real az", bounds, withAz);
  describe('the same with SDKs', { concurrency: 1, ...bounds }, () => {
    for (const name of sdkNames) test(clients[name].title, bounds, (t) => withSdk(name, t));
  });
});

async function withAz(t: TestContext): Promise<void> {
  if ((await needAz(t)) === undefined) return;
  const customer = await stack.json<Record<string, string>>(['az', 'setup', '-o', 'json']);
  const provider = await stack.json<Record<string, string>>([
    'az',
    'setup',
    '--as',
    'provider',
    '-o',
    'json',
  ]);
  assert.notEqual(customer['AZURE_CONFIG_DIR'], provider['AZURE_CONFIG_DIR']);
  const ran = await execStatus('bash', [script], {
    env: { ...process.env, ...customer, PROVIDER_CONFIG_DIR: provider['AZURE_CONFIG_DIR'] },
    timeoutMs: 900_000,
  });
  t.diagnostic(ran.stderr.match(/^-- .*$/gm)?.join('\n') ?? '');
  assert.equal(ran.exitCode, 0, `${ran.stdout.slice(-2_000)}\n${ran.stderr}`);
  assert.match(ran.stdout, /^done$/m);
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes('"password"'), 'the password is not in any answer');
}

async function withSdk(name: (typeof sdkNames)[number], t: TestContext): Promise<void> {
  await installSdks();
  const customer = await partyOf('customer');
  const provider = await partyOf('provider');
  const group = `how-to-${name}`;
  await stack.json(['group', 'create', '-n', group, '-l', 'eastus2', '-o', 'json']);
  const { endpoint, tenantId, authority } = customer;
  const given = { endpoint, tenantId, customer, provider, group, location: 'eastus2' };
  const ran = await runSdk(name, authority, { ...given, howToOnly: true }, 900_000);
  t.diagnostic(`${ran.said.length} operations`);
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.deepEqual(
    ran.said.filter(({ outcome }) => outcome !== 'ok'),
    [],
  );
  assert.equal(ran.said.at(-1)?.operation, 'VirtualNetworks_Delete');
}

async function partyOf(
  as: 'customer' | 'provider',
): Promise<Given['customer'] & { readonly [of in 'endpoint' | 'tenantId' | 'authority']: string }> {
  const env = await stack.json<Record<string, string>>(['env', '--as', as, '-o', 'json']);
  return {
    endpoint: env['SALLYPORT_ENDPOINT']!,
    authority: env['REQUESTS_CA_BUNDLE']!,
    tenantId: env['AZURE_TENANT_ID']!,
    subscriptionId: env['AZURE_SUBSCRIPTION_ID']!,
    clientId: env['AZURE_CLIENT_ID']!,
    secret: env['AZURE_CLIENT_SECRET']!,
  };
}
