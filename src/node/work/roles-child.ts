/**
 * The short-lived process that speaks CQL to its own node, over verified TLS: puts the admin's password in force, makes the
 * service's own role, and tries whether the default password is refused. A process of its own because the driver is larger
 * than the agent, and so that passwords leave memory with it.
 */
import bcrypt from 'bcryptjs';
import cassandra from 'cassandra-driver';
import { randomBytes } from 'node:crypto';
import { until } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import { ports } from '../../network/ports.ts';
import { readInput } from '../child.ts';
import { securingStatements } from './statements.ts';
import type { RolesOutcome, RolesTask } from './wire.ts';

const defaults = { username: 'cassandra', password: 'cassandra' } as const;
const rounds = 10;

function clientFor(
  task: RolesTask,
  credentials: { readonly username: string; readonly password: string },
): cassandra.Client {
  const { AllowListPolicy, DCAwareRoundRobinPolicy } = cassandra.policies.loadBalancing;
  const own = `${task.address}:${ports.cql}`;
  return new cassandra.Client({
    contactPoints: [own],
    localDataCenter: task.dataCenter,
    credentials,
    sslOptions: { ca: [task.authority], minVersion: 'TLSv1.2', host: task.address },
    // Its own node and no other: the door lets nobody else's CQL in while the ring is being secured.
    policies: { loadBalancing: new AllowListPolicy(new DCAwareRoundRobinPolicy(task.dataCenter), [own]) },
    pooling: { coreConnectionsPerHost: { [cassandra.types.distance.local]: 1 }, heartBeatInterval: 0 },
    socketOptions: { connectTimeout: 5_000, readTimeout: 20_000 },
    protocolOptions: { maxSchemaAgreementWaitSeconds: 20 },
  });
}

/** True: let in. False: refused by its password. Anything else is thrown. */
async function letsIn(client: cassandra.Client): Promise<boolean> {
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof cassandra.errors.AuthenticationError) return true;
  const inner =
    error instanceof cassandra.errors.NoHostAvailableError ? Object.values(error.innerErrors as object) : [];
  return inner.length > 0 && inner.every((one) => one instanceof cassandra.errors.AuthenticationError);
}

async function secure(
  task: RolesTask,
  work: Extract<RolesTask['task'], { kind: 'secure-roles' }>['work'],
): Promise<void> {
  const service = { username: work.serviceRole, password: work.servicePassword };
  const client = await until(
    'a login that the node accepts',
    async () => {
      // The default superuser is made a moment after the node says NORMAL; an interrupted predecessor may have closed it.
      for (const credentials of [defaults, service]) {
        const candidate = clientFor(task, credentials);
        if (await letsIn(candidate)) return candidate;
        await candidate.shutdown();
      }
      return undefined;
    },
    { timeoutMs: 40_000, everyMs: 250 },
  );
  try {
    // `$2b$` and `$2a$` are the same for what fits: Cassandra's own library knows the older name only.
    const hash = (password: string): string =>
      bcrypt.hashSync(password, bcrypt.genSaltSync(rounds).replace('$2b$', '$2a$'));
    const admin = work.adminPasswordHash ?? hash(randomBytes(32).toString('base64url'));
    for (const statement of securingStatements(work, { admin, service: hash(work.servicePassword) })) {
      await client.execute(statement);
    }
  } finally {
    await client.shutdown();
  }
  const check = clientFor(task, service);
  try {
    if (!(await letsIn(check))) throw new Error("The service's own role was made, but the node refuses it.");
  } finally {
    await check.shutdown();
  }
}

/** Credentials are cached for two seconds: refused in the end is what counts, let in even then is a fault. */
async function checkRefused(task: RolesTask): Promise<void> {
  await until(
    'the default password to be refused; it is still let in',
    async () => {
      const client = clientFor(task, defaults);
      const open = await letsIn(client);
      await client.shutdown();
      return open ? undefined : true;
    },
    { timeoutMs: 60_000, everyMs: 250 },
  );
}

async function run(whole: RolesTask): Promise<RolesOutcome> {
  try {
    if (whole.task.kind === 'secure-roles') await secure(whole, whole.task.work);
    else await checkRefused(whole);
    return { at: 'done' };
  } catch (error) {
    return { at: 'failed', error: faultOf(error) };
  }
}

const outcome = await run(JSON.parse(await readInput()) as RolesTask);
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
