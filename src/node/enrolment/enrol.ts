import { rm } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { EnrolmentGrant, JoinFile } from '../../exchange/intents/node.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf, type Fault } from '../../lib/errors.ts';
import { readFileIfThere, readJson, writeJson } from '../../lib/files.ts';
import type { Log } from '../../lib/log.ts';
import { isWireguardKey } from '../../network/wireguard-keys.ts';
import { runChild } from '../child.ts';
import type { DoorKeeper } from '../door.ts';
import { addressOf, type Nic, type NodeIdentity, type NodeKeys } from '../identity.ts';
import type { NodePaths } from '../paths.ts';
import { bare, distrustPolicy, enrollingPolicy } from '../policy.ts';
import { oneTimeTunnel, type Tunnel } from '../tunnel.ts';
import type { EnrolmentOutcome, EnrolmentTask } from './wire.ts';

export interface Enrolling {
  readonly paths: NodePaths;
  readonly nic: Nic;
  readonly deniedUid: number | null;
  readonly door: DoorKeeper;
  readonly tunnel: Tunnel;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The child that enrols; another one in tests. */
  readonly ask?: (task: EnrolmentTask, signal: AbortSignal) => Promise<EnrolmentOutcome>;
}

const askByChild = (task: EnrolmentTask, signal: AbortSignal): Promise<EnrolmentOutcome> =>
  runChild(['enrolment', 'child'], task, { timeoutMs: 40_000, signal });

/**
 * Enrols, however long it takes, and returns the node's identity; undefined when `signal` aborted. After a refusal or a
 * wrong authority the same file is not tried again: a fresh one on the disk is.
 */
export async function enrol(options: Enrolling): Promise<NodeIdentity | undefined> {
  const { paths, clock, log, signal } = options;
  let told = '';
  const tell = (fault: Fault): void => {
    if (told !== fault.message) log.error('not enrolled', { code: fault.code, reason: fault.message });
    told = fault.message;
  };
  while (!signal.aborted) {
    const text = await readFileIfThere(paths.join);
    const join = checkJoinFile(text, paths.join);
    if ('code' in join) {
      tell(join);
      await clock.sleep(1_000, signal);
      continue;
    }
    const outcome = await attempt(join, options, tell);
    if (outcome.at === 'granted') return keepIdentity(join, outcome.grant, options);
    if (signal.aborted) break;
    tell(outcome.error);
    if (outcome.at === 'unreachable') await clock.sleep(500, signal);
    else await untilOtherFile(text, options);
  }
  return undefined;
}

async function attempt(
  join: JoinFile,
  options: Enrolling,
  tell: (fault: Fault) => void,
): Promise<EnrolmentOutcome> {
  const { door, tunnel, nic, paths, signal } = options;
  const put = await door.keep(enrollingPolicy(join, options));
  if (put.error && put.policy.state !== 'joining') return { at: 'unreachable', error: put.error };
  const wanted = oneTimeTunnel(join);
  await tunnel.ensure(wanted);
  await door.keep(enrollingPolicy(join, options));
  while (!(await tunnel.handshake(wanted, 10_000, signal))) {
    if (signal.aborted) return { at: 'unreachable', error: { code: 'Stopped', message: 'The agent stops.' } };
    const { address, port } = join.endpoint;
    tell({
      code: 'NoHandshake',
      message:
        `No handshake: nothing answers the one-time key at ${address}:${port}. The private endpoint may not be approved, ` +
        `or the key was used already; see the connection's state, then get a fresh join file.`,
    });
    await options.clock.sleep(1_000, signal);
  }
  await tunnel.ensure(wanted);
  const task: EnrolmentTask = { join, ringAddress: addressOf(nic), keysPath: paths.keys };
  const ask = options.ask ?? askByChild;
  const outcome = await ask(task, signal).catch((error: unknown): EnrolmentOutcome => ({
    at: 'unreachable',
    error: faultOf(error),
  }));
  if (outcome.at === 'distrusted') {
    await tunnel.remove();
    await door.keep(distrustPolicy(options));
  }
  return outcome;
}

/** The one-time key goes from the disk as soon as there is something lasting to keep in its place. */
async function keepIdentity(
  join: JoinFile,
  grant: EnrolmentGrant,
  { paths, log }: Enrolling,
): Promise<NodeIdentity> {
  const kept = await readJson<NodeKeys>(paths.keys);
  if (!kept) throw new Error(`${paths.keys} vanished during enrolment.`);
  const { node, cluster, wireguard, exchange, internode, client } = kept;
  const identity: NodeIdentity = {
    node: join.node,
    cluster: join.cluster,
    endpoint: join.endpoint,
    operator: { publicKey: join.operator.publicKey, address: join.operator.address },
    address: grant.address,
    exchange: grant.exchange,
    keys: { node, cluster, wireguard, exchange, internode, client },
    mtu: null,
  };
  await writeJson(paths.identity, identity, 0o600);
  await rm(paths.join, { force: true });
  await rm(paths.keys, { force: true });
  log.info('enrolled', { node: join.node, address: grant.address });
  return identity;
}

async function untilOtherFile(text: string | undefined, { paths, clock, signal }: Enrolling): Promise<void> {
  while (!signal.aborted && (await readFileIfThere(paths.join)) === text) await clock.sleep(1_000, signal);
}

const isPort = (port: unknown): boolean =>
  typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;

/** The join file, or what is wrong with it. */
export function checkJoinFile(text: string | undefined, path: string): JoinFile | Fault {
  const flaw = (message: string): Fault => ({
    code: 'BadJoinFile',
    message: `${message} Put this node's join file at ${path}.`,
  });
  if (text === undefined)
    return { code: 'NoJoinFile', message: `There is no join file. Put this node's join file at ${path}.` };
  let file: Partial<JoinFile> | null;
  try {
    file = JSON.parse(text) as Partial<JoinFile> | null;
  } catch {
    return flaw('The join file is no JSON.');
  }
  if (file?.version !== 1)
    return flaw(`The join file's version is ${JSON.stringify(file?.version)}, this agent reads 1.`);
  if (!file.node || !file.cluster) return flaw('The join file names no node or no cluster.');
  if (!isIPv4(file.endpoint?.address ?? '') || !isPort(file.endpoint?.port)) {
    return flaw("The join file's endpoint is no IPv4 address and port.");
  }
  if (
    !isIPv6(bare(file.operator?.address ?? '')) ||
    !isPort(file.operator?.enrolmentPort) ||
    !isWireguardKey(file.operator?.publicKey ?? '')
  ) {
    return flaw("The join file doesn't say who the operator is.");
  }
  if (!/^[0-9a-fA-F:]{64,95}$/.test(file.operator?.authorityFingerprint ?? '')) {
    return flaw("The join file has no fingerprint of the operator's authority.");
  }
  if (!isIPv6(bare(file.oneTime?.address ?? '')) || !isWireguardKey(file.oneTime?.privateKey ?? ''))
    return flaw('The join file has no one-time key.');
  return file as JoinFile;
}
