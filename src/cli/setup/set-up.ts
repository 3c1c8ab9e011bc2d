import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeJson } from '../../lib/files.ts';
import type { CliContext } from '../context.ts';
import { SetupError } from '../errors.ts';
import { programRoot, type Home } from '../home.ts';
import { installedAzurite } from './azurite.ts';
import { fetchJars, jarsReady } from './cassandra.ts';
import { checkDisk, checkMemory, checkTunnelDevice, checkUserNamespaces, diskToStart } from './checks.ts';
import { findJavaHome } from './java.ts';
import { installPackages, jvmPackage, missingPackages, type SystemPackage } from './packages.ts';
import { createProbe, type Probe } from './probe.ts';
import { readTools, toolsFile, type Tools } from './tools.ts';
import { buildWireguard, chooseWireguard, wireguardPackage } from './wireguard.ts';

export interface SetUpOptions {
  /** Said for each thing that is fetched or made; nothing where all is there. */
  readonly say: (text: string) => void;
  /** True before machines are started: memory must be free then. */
  readonly starting: boolean;
  /** Packages that are needed beside those that always are. */
  readonly also?: readonly SystemPackage[];
}

/** Finds what is needed and gets what is missing. Run again it changes nothing. */
export async function setUp(cx: CliContext, options: SetUpOptions): Promise<Tools> {
  const { home, env, signal } = cx;
  const probe = createProbe(env);
  const root = process.getuid?.() === 0;
  await createHomeFolders(home);
  if (options.starting) {
    await checkMemory();
    await checkDisk(home.root, diskToStart);
  }

  const missing = [...(await missingPackages(probe, options.also))];
  if (!(await findJavaHome(env, probe))) missing.push(jvmPackage);
  const builtPath = join(home.tools, 'wireguard/wireguard-go');
  // WireGuard can only be chosen once `ip` and `unshare` are there; a kernel without it needs the package in the same breath.
  const choice =
    missing.includes('iproute2') || missing.includes('util-linux')
      ? undefined
      : await chooseWireguard(probe, builtPath);
  if (choice?.from === 'missing') missing.push(wireguardPackage);
  if (missing.length > 0) await checkDisk(home.root);
  await installPackages(missing, { root, probe, say: options.say, signal });
  await checkUserNamespaces(probe);

  const javaHome = await findJavaHome(env, probe);
  if (javaHome === undefined)
    throw new SetupError(
      'NoJvm17',
      'No JVM 17 was found, though its package is installed.',
      'export JAVA_HOME=/its/folder',
    );
  const wireguard = await getWireguard(probe, builtPath, cx, options.say);
  if (wireguard !== null && !root) await checkTunnelDevice();
  const cassandra = await getCassandra(probe, javaHome, cx, options.say);
  const azurite = (await installedAzurite(home)) ?? null;
  const tools: Tools = { node: process.execPath, javaHome, wireguard, cassandra, azurite };
  if (JSON.stringify(await readTools(home)) !== JSON.stringify(tools))
    await writeJson(toolsFile(home), tools);
  return tools;
}

export async function createHomeFolders(home: Home): Promise<void> {
  try {
    await mkdir(home.root, { recursive: true, mode: 0o700 });
    for (const folder of [home.tools, home.person, home.run, home.log, home.cache])
      await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SetupError(
      'HomeNotWritable',
      `The state folder can't be made: ${(error as Error).message}`,
      'export SALLYPORT_HOME=/absolute/folder that you may write to',
    );
  }
}

async function getWireguard(
  probe: Probe,
  builtPath: string,
  cx: CliContext,
  say: (text: string) => void,
): Promise<string | null> {
  const choice = await chooseWireguard(probe, builtPath);
  switch (choice.from) {
    case 'kernel':
      return null;
    case 'built':
    case 'distribution':
      return choice.path;
    case 'go':
      say('building WireGuard (userspace): this kernel has none for machines');
      await buildWireguard({
        go: choice.go,
        source: join(programRoot, 'setup/wireguard'),
        builtPath,
        cache: cx.home.cache,
        signal: cx.signal,
      });
      return builtPath;
    case 'missing':
      throw new SetupError(
        'NoWireguard',
        'Neither the kernel nor a program here speaks WireGuard.',
        `apt-get install -y --no-install-recommends ${wireguardPackage}`,
      );
  }
}

async function getCassandra(
  probe: Probe,
  javaHome: string,
  cx: CliContext,
  say: (text: string) => void,
): Promise<string> {
  const folder = join(cx.home.tools, 'cassandra');
  const source = join(programRoot, 'setup/cassandra');
  if (!(await jarsReady({ source, folder }))) {
    await checkDisk(cx.home.root);
    say('fetching Cassandra 5.0.9 with Maven, and checking its jars');
    const maven = (await probe.which('mvn'))!;
    await fetchJars({ source, folder, cache: cx.home.cache, javaHome, maven, signal: cx.signal });
  }
  return join(folder, 'lib');
}
