import { createHash, randomBytes } from 'node:crypto';
import { chown, link, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FabricMachine, FabricNetwork } from '../../exchange/intents/fabric.ts';
import { parsePrefix } from '../../lib/ip.ts';
import { gatewayOf } from '../../network/router.ts';
import type { MachineUser } from './command.ts';

/**
 * A machine's disk. Its content is the machine's, and so not to be trusted: the fabric puts new files in, by names of
 * its own, and never follows, reads or replaces one.
 */
export async function makeDisk(path: string, user: MachineUser | null): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (user) await chown(path, user.uid, user.uid);
}

/** Puts a file in unless there is one of that name. Answers whether it did. */
export async function seedFile(
  disk: string,
  name: string,
  content: string,
  user: MachineUser | null,
): Promise<boolean> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new Error(`'${name}' can't be the name of a seed: it has to be a plain file name.`);
  const draft = join(disk, `.seed-${randomBytes(6).toString('hex')}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    if (user) await file.chown(user.uid, user.uid);
    await file.sync();
    await link(draft, join(disk, name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

/** What a seed was, for not giving a one-time secret twice. */
export const seedMark = (content: string): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

/** How a machine finds its interface. */
export function nicFile(machine: FabricMachine, network: FabricNetwork): string {
  const subnet = network.subnets.find(({ name }) => name === machine.subnet);
  const prefix = subnet && parsePrefix(subnet.prefix);
  if (!subnet || !prefix)
    throw new Error(`Network '${network.label}' has no usable subnet '${machine.subnet}'.`);
  const nic = {
    device: 'eth0',
    address: `${machine.address}/${prefix.length}`,
    gateway: gatewayOf(subnet.prefix),
    mtu: 1500,
  };
  return `${JSON.stringify(nic)}\n`;
}
