import { join } from 'node:path';
import { TimeoutError, until } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { writeFileAtomic } from '../../lib/files.ts';
import { enterFromHost, fabricCommand, fabricInit } from '../../fabric/launch.ts';
import type { CliContext } from '../context.ts';
import { programRoot, type Home } from '../home.ts';
import type { Tools } from '../setup/tools.ts';
import { startDetached } from './detached.ts';
import { knownMachines, lastError } from './log-files.ts';
import { end, isAlive, readMark, startOf, type ProcessMark } from './process.ts';

export const fabricLog = (home: Home): string => join(home.log, 'fabric.log');

/** PID 1 of the fabric's namespace, as the host knows it; undefined where no fabric runs. */
export async function fabricProcess(home: Home): Promise<ProcessMark | undefined> {
  const starter = await starterProcess(home);
  const pid = starter && fabricInit(starter.pid);
  if (pid !== undefined) {
    const start = startOf(pid);
    return start === undefined ? undefined : { pid, start };
  }
  // Its starter may have been killed; what it started goes on.
  const known = await readMark(initFile(home));
  return isAlive(known) ? known : undefined;
}

/** Starts the fabric unless it runs. True: it was started now. */
export async function ensureFabric(cx: CliContext, tools: Tools): Promise<boolean> {
  const { home } = cx;
  if (await fabricProcess(home)) return false;
  if (!(await starterProcess(home))) {
    const launch = fabricCommand({ home: home.root, program: programRoot, node: tools.node });
    const marked = [
      join(programRoot, 'dist/server/mark.sh'),
      starterFile(home),
      launch.command,
      ...launch.args,
    ];
    await startDetached(
      {
        command: 'flock',
        args: ['-n', '-o', join(home.run, 'fabric.lock'), 'sh', ...marked],
        env: launch.env,
      },
      fabricLog(home),
    );
  }
  const mark = await until('the fabric to start', () => fabricProcess(home), {
    timeoutMs: 15_000,
    clock: cx.clock,
    signal: cx.signal,
    everyMs: 50,
  }).catch(async (error: unknown) => {
    if (!(error instanceof TimeoutError)) throw error;
    throw new UserError(
      'FabricNotUp',
      `The fabric does not start. Its log ends with: ${await lastError(fabricLog(home))}`,
      'sallyport logs fabric',
      error,
    );
  });
  await writeFileAtomic(initFile(home), `${mark.pid} ${mark.start}\n`);
  return true;
}

/** Ends all that runs in it in good order. False: nothing ran. */
export async function endFabric(cx: CliContext): Promise<boolean> {
  const init = await fabricProcess(cx.home);
  const starter = await starterProcess(cx.home);
  if (!init && !starter) return false;
  // PID 1 of a namespace takes every process of it along.
  if (starter) await end(starter, { graceMs: 25_000, clock: cx.clock });
  if (init) await end(init, { graceMs: 20_000, clock: cx.clock });
  return true;
}

const starterFile = (home: Home): string => join(home.run, 'fabric.pid');
const initFile = (home: Home): string => join(home.run, 'fabric-init.pid');

async function starterProcess(home: Home): Promise<ProcessMark | undefined> {
  const mark = await readMark(starterFile(home));
  return isAlive(mark) ? mark : undefined;
}

/** A command that runs `argv` in the user and network namespace of the application machine of a network. */
export async function enterApplication(
  home: Home,
  network: string | undefined,
  argv: readonly string[],
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  const init = await fabricProcess(home);
  if (!init)
    throw new UserError(
      'FabricNotRunning',
      'The fabric is not running, so there is no network to enter.',
      'sallyport up',
    );
  const applications = (await knownMachines(home)).filter((machine) => machine.kind === 'application');
  const machines = applications.filter((machine) => machine.pid);
  const found = machines.filter(
    (machine) => network === undefined || machine.network.toLowerCase().includes(network.toLowerCase()),
  );
  if (found.length === 1) return enterFromHost(init.pid, found[0]!.pid!, argv);
  if (machines.length === 0 && applications.length > 0) {
    throw new UserError(
      'ApplicationMachineNotUp',
      'The application machine does not run yet: the fabric is starting its machines.',
      'sallyport status shows when it runs; then run the same command again',
    );
  }
  if (machines.length === 0) {
    throw new UserError(
      'NoApplicationMachine',
      'No application machine runs: none stands in a virtual network yet.',
      'sallyport network vnet create, or sallyport quickstart',
    );
  }
  throw new UserError(
    found.length === 0 ? 'NoSuchNetwork' : 'WhichNetwork',
    found.length === 0
      ? `No application machine stands in a network '${network}'.`
      : 'Application machines stand in several networks.',
    `Add --network with one of: ${machines.map((machine) => machine.network).join(', ')}`,
  );
}
