import { UserError } from '../../lib/errors.ts';
import { execStatus } from '../../lib/exec.ts';
import { SetupError } from '../errors.ts';
import type { Probe } from './probe.ts';

/** A system package, and the program by which it is known to be there. */
export interface SystemPackage {
  readonly name: string;
  readonly program: string;
  readonly why: string;
}

export const systemPackages: readonly SystemPackage[] = [
  { name: 'nftables', program: 'nft', why: 'the walls' },
  { name: 'iproute2', program: 'ip', why: 'links and routes' },
  { name: 'bubblewrap', program: 'bwrap', why: 'machines' },
  { name: 'wireguard-tools', program: 'wg', why: 'the tunnel' },
  { name: 'util-linux', program: 'nsenter', why: 'namespaces' },
  { name: 'perl-base', program: 'perl', why: 'the leak probes' },
  { name: 'maven', program: 'mvn', why: 'fetching Cassandra' },
];

/**
 * Only who attaches a service endpoint policy needs it, and the gate says so then; the tests do. With the package Debian starts a
 * service of its own on the host, which is nothing to do to somebody unasked.
 */
export const gatePackage: SystemPackage = { name: 'haproxy', program: 'haproxy', why: 'the gate' };

/** Likewise: for who asks for monitoring among the services of the installation. */
export const monitorPackage: SystemPackage = {
  name: 'prometheus',
  program: 'prometheus',
  why: 'monitoring behind the gate',
};

export const jvmPackage = 'openjdk-17-jre-headless';

export async function missingPackages(
  probe: Probe,
  also: readonly SystemPackage[] = [],
): Promise<readonly string[]> {
  const found = await Promise.all(
    [...systemPackages, ...also].map(async (each) => ((await probe.which(each.program)) ? [] : [each.name])),
  );
  return found.flat();
}

export const installCommand = (packages: readonly string[]): string =>
  `apt-get install -y --no-install-recommends ${packages.join(' ')}`;

/** As root installs them; else throws with the one command that root must run. */
export async function installPackages(
  packages: readonly string[],
  options: {
    readonly root: boolean;
    readonly probe: Probe;
    readonly say: (text: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  if (packages.length === 0) return;
  const command = installCommand(packages);
  if (!(await options.probe.which('apt-get'))) {
    throw new SetupError(
      'MissingTools',
      `Missing on this machine: ${packages.join(', ')}. It has no apt-get to install them with.`,
      'Install what these Debian packages hold, then run the same command again.',
    );
  }
  if (!options.root) {
    throw new SetupError(
      'MissingTools',
      `Missing on this machine: ${packages.join(', ')}. Only root can install them.`,
      `sudo ${command}`,
    );
  }
  options.say(`installing system packages: ${packages.join(' ')}`);
  const install = () => aptGet(['install', '-y', '--no-install-recommends', ...packages], options.signal);
  let result = await install();
  if (result.exitCode !== 0) {
    options.say('the package lists are old: apt-get update');
    await aptGet(['update'], options.signal);
    result = await install();
  }
  if (result.exitCode !== 0) {
    throw new UserError(
      'PackagesNotInstalled',
      `apt-get could not install ${packages.join(', ')}: ${result.stderr.trim().slice(-600)}`,
      command,
    );
  }
}

const aptGet = (args: readonly string[], signal: AbortSignal) =>
  execStatus('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 900_000,
    signal,
  });
