/** A whole Sallyport of the benchmark's own, up to where a data centre can be asked for; and the data centre itself. */
import { createArmClient, type ArmClient } from '../src/cli/arm/client.ts';
import { deleteResource } from '../src/cli/arm/operation.ts';
import { findSession } from '../src/cli/arm/session.ts';
import { ArmRefused } from '../src/cli/errors.ts';
import { findHome, type Home } from '../src/cli/home.ts';
import { silent } from '../src/cli/output/progress.ts';
import { names } from '../src/cli/quickstart/names.ts';
import {
  ids,
  makeCluster,
  makeEndpoint,
  makeNetwork,
  type StepContext,
} from '../src/cli/quickstart/steps.ts';
import { systemClock, until } from '../src/lib/clock.ts';
import { configure, createStack, type Settled, type Stack } from '../test/harness/stack.ts';

export interface ManagedRing {
  readonly stack: Stack;
  readonly home: Home;
  readonly customer: ArmClient;
  readonly provider: ArmClient;
  /** Asks for the data centre. Milliseconds from the PUT until its operation has succeeded. */
  createDataCenter(): Promise<number>;
  deleteDataCenter(): Promise<void>;
  close(): Promise<void>;
}

async function run(stack: Stack, command: string): Promise<void> {
  const ran = await stack.run([command], { timeoutMs: 180_000 });
  if (ran.exitCode !== 0) throw new Error(`sallyport ${command}: ${ran.stderr}`);
}

/** Network, cluster, and an endpoint that is approved: the first four of the five steps. `config`: what control's config.json holds as well. */
export async function openManagedRing({
  config,
}: { readonly config?: (settled: Settled) => object } = {}): Promise<ManagedRing> {
  const stack = await createStack();
  try {
    if (config) await configure(stack, config);
    await run(stack, 'up');
    const home = findHome({ SALLYPORT_HOME: stack.home });
    const sign = async (as: 'customer' | 'provider'): Promise<ArmClient> =>
      createArmClient(await findSession(home, {}, { as, subscription: undefined }), {
        clock: systemClock,
        signal: new AbortController().signal,
      });
    const steps: StepContext = { home, customer: await sign('customer'), provider: await sign('provider') };
    for (const step of [makeNetwork, makeCluster, makeEndpoint]) await step(steps, silent);
    const { customer, provider } = steps;
    const id = ids(customer).dataCenter;
    return {
      stack,
      home,
      customer,
      provider,
      async createDataCenter() {
        const began = systemClock.now();
        const asked = await customer.send('PUT', id, {
          properties: {
            dataCenterLocation: names.location,
            delegatedSubnetId: ids(customer).subnet('cass'),
            nodeCount: names.nodes,
            privateEndpointIpAddress: names.endpointAddress,
          },
        });
        const operation = String(asked.headers['azure-asyncoperation']);
        await until(
          'the data centre',
          async () => {
            const { body } = await customer.send('GET', operation);
            if (body['status'] === 'Failed') throw new Error(JSON.stringify(body['error']));
            return body['status'] === 'Succeeded' ? true : undefined;
          },
          // As often as the bare ring is asked whether it answers.
          { timeoutMs: 300_000, everyMs: 200 },
        );
        return systemClock.now() - began;
      },
      async deleteDataCenter() {
        await until(
          'the data centre to go: a keyspace that was just dropped is seen a moment later',
          () =>
            deleteResource(customer, { what: 'data centre', id, progress: silent }).then(
              () => true,
              (error: unknown) => {
                if (error instanceof ArmRefused && error.code === 'InUse') return undefined;
                throw error;
              },
            ),
          { timeoutMs: 60_000, everyMs: 500 },
        );
      },
      close: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}
