import { mkdir } from 'node:fs/promises';
import { readFileIfThere, readJson } from '../lib/files.ts';
import { bornPolicy } from '../network/door.ts';
import { drive } from '../reconcile/driver.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { runAgent } from './agent.ts';
import type { RoleContext } from '../lib/role.ts';
import { openDoor } from './door.ts';
import { checkJoinFile, enrol } from './enrolment/enrol.ts';
import type { NodeIdentity } from './identity.ts';
import { bringUp, checkNic, waitForCarrier, waitForDevice } from './link.ts';
import { nodePaths } from './paths.ts';
import { enrolledPolicy, enrollingPolicy, nicOf } from './policy.ts';
import { createTunnel } from './tunnel.ts';
import { cassandraUid, hasOwnUid } from './user.ts';

/** How often the rules are read again. */
const doorMs = 3_000;

/**
 * The agent's whole life. The order is the point: the door first, before anything is read and before the interface is up;
 * then the interface, once its egress hook stands; then the tunnel, enrolment once, and the operator's intent.
 */
export async function runNode({ clock, log, signal, env }: RoleContext): Promise<void> {
  const startedAt = new Date(clock.now()).toISOString();
  const paths = nodePaths(env);
  const door = await openDoor({ path: paths.door, clock, log });
  const guard: Reconciler<void> = {
    name: 'door',
    periodMs: doorMs,
    reconcile: async () => void (await door.check()),
  };
  drive(guard, { clock, log, signal });
  await mkdir(paths.run, { recursive: true, mode: 0o700 });

  const nic = checkNic(await readJson(paths.nic), paths.nic);
  const ownUid = await hasOwnUid();
  const ground = { nic, deniedUid: ownUid ? cassandraUid : null };
  await waitForDevice(nic.device, clock, signal);
  if (signal.aborted) return;

  const known = await readJson<NodeIdentity>(paths.identity);
  if (door.status().policy.state === 'born') {
    // The policy now names the interface, so that its egress hook stands before the interface is up.
    const join = checkJoinFile(await readFileIfThere(paths.join), paths.join);
    if (known) await door.keep(enrolledPolicy(known, undefined, ground));
    else if ('code' in join) await door.keep({ ...bornPolicy, nic: nicOf(nic) });
    else await door.keep(enrollingPolicy(join, ground));
  } else {
    await door.check();
  }
  const { policy, error } = door.status();
  if (policy.nic === null)
    throw new Error(`The door policy is not in force, the interface stays down: ${error?.message ?? ''}`);
  await bringUp(nic);
  await waitForCarrier(nic.device, clock, signal);
  log.info('interface up', { device: nic.device, address: nic.address });

  const tunnel = createTunnel({ tools: paths.tools, run: paths.run, clock, log });
  const shared = { paths, nic, deniedUid: ground.deniedUid, door, tunnel, clock, log, signal };
  const identity = known ?? (await enrol(shared));
  if (!identity || signal.aborted) return;
  await runAgent({ ...shared, env, ownUid, identity, startedAt });
}
