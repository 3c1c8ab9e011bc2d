/** Runs one program as a service: its machine's walls first, then the program, and then it is asked again and again how it is. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import {
  healthHoldsMs,
  serviceHealthName,
  type ServiceHealth,
  type ServiceSeed,
  type ServiceKind,
} from '../exchange/intents/service.ts';
import { UserError } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { createMachineDoorKeeper } from '../network/machine-door.ts';
import { planServiceDoor, serviceDoorTable } from '../network/service-door.ts';
import { ask } from './ask.ts';
import { newestSeed, readSeed } from './seed.ts';

export interface Program {
  readonly command: readonly [string, ...string[]];
  /** Whole: nothing else of the role's is in it. */
  readonly env: Readonly<Record<string, string>>;
  /** What to ask it by HTTPS. */
  readonly path: string;
  /** Whether an answer of that status says that it serves. */
  readonly serves: (status: number) => boolean;
  /** What else has to be so while it serves, each time it is looked at; throws where it isn't, with why. */
  readonly finish?: () => Promise<void>;
}

export interface Service {
  readonly kind: ServiceKind;
  readonly port: number;
  /** Writes its files, and says how it is started on that address. Throws a UserError where its program is missing. */
  prepare(disk: string, seed: ServiceSeed, address: string): Promise<Program>;
}

const lookEveryMs = 3_000;
/** While it doesn't answer: it may be about to. */
const lookSoonMs = 500;
const endsWithinMs = 5_000;

/**
 * Until the signal aborts. Where the program ends, or control seeds the machine anew, it throws or returns: the loop above the
 * role starts it again, from the beginning.
 */
export async function keepService(service: Service, context: RoleContext): Promise<void> {
  const { clock, log, signal } = context;
  const disk = context.env['SALLYPORT_DISK'] ?? '/var/lib/sallyport';
  const say = healthTo(join(disk, serviceHealthName), () => clock.now());
  let child: ChildProcess | undefined;
  // Who ends a machine asks all its processes, and the loop above the role then asks it once more: a second time must not end it,
  // and its program with it, before that has written down what it holds.
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => undefined);
  try {
    const nic = await readNic(join(disk, 'nic.json'));
    const seed = await readSeed(disk, service.kind);
    // First of all, before anything listens.
    const door = createMachineDoorKeeper(serviceDoorTable, clock);
    const policy = planServiceDoor({ device: nic.device, port: service.port, gate: seed.gate });
    await door.ensure(policy);
    const program = await service.prepare(disk, seed, nic.address);
    const ended = new AbortController();
    child = start(program, join(disk, service.kind), (why) => ended.abort(why));
    const asked = {
      ...{ address: nic.address, port: service.port, path: program.path },
      ...{ name: seed.names[0]!, authority: seed.authority },
    };
    log.info('the service was started', { names: seed.names, address: nic.address, port: service.port });
    const stop = AbortSignal.any([signal, ended.signal]);
    while (!signal.aborted) {
      ended.signal.throwIfAborted();
      await door.ensure(policy);
      const health = await healthOf(program, asked);
      await say(health);
      if ((await newestSeed(disk, service.kind)) !== seed.number) {
        log.info('control has seeded the machine anew');
        return;
      }
      await clock.sleep(health.answers ? lookEveryMs : lookSoonMs, stop);
    }
  } catch (error) {
    await say({ answers: false, error: inWords(error) });
    throw error;
  } finally {
    await end(child, signal.aborted);
  }
}

async function healthOf(program: Program, asked: Parameters<typeof ask>[0]): Promise<ServiceHealth> {
  try {
    const status = await ask(asked);
    if (!program.serves(status)) return { answers: false, error: `It answers with HTTP ${status}.` };
  } catch (error) {
    return { answers: false, error: `It does not answer: ${inWords(error)}` };
  }
  try {
    await program.finish?.();
    return { answers: true, error: null };
  } catch (error) {
    return { answers: false, error: inWords(error) };
  }
}

/** What to do next belongs to what is shown far from the log. */
const inWords = (error: unknown): string => {
  if (error instanceof UserError) return error.next ? `${error.message} ${error.next}` : error.message;
  return error instanceof Error ? error.message : String(error);
};

/** Written where it changes, and often enough to be believed. */
function healthTo(path: string, now: () => number): (health: ServiceHealth) => Promise<void> {
  let said = '';
  let at = 0;
  return async (health) => {
    const text = JSON.stringify(health);
    if (text === said && now() - at < healthHoldsMs / 3) return;
    await writeJson(path, health);
    said = text;
    at = now();
  };
}

async function readNic(path: string): Promise<{ readonly device: string; readonly address: string }> {
  const nic = await readJson<{ readonly device: string; readonly address: string }>(path);
  const address = nic?.address.split('/')[0];
  if (nic && address && /^[a-z][a-z0-9]{0,14}$/.test(nic.device)) return { device: nic.device, address };
  throw new UserError(
    'NoInterface',
    `${path} names no interface.`,
    'start the machine by the fabric, which writes it',
  );
}

/**
 * Without a capability, so that who takes the program over can't touch the rules of its machine (it can write what the role reads at
 * its next start; the wall outside stands on nothing of the machine's); and it dies with the role, so
 * that two never share a disk.
 */
const confined = (command: readonly string[]): readonly [string, ...string[]] => [
  'setpriv',
  ...['--pdeathsig', 'KILL', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
  ...command,
];

function start({ command, env }: Program, cwd: string, onEnd: (why: Error) => void): ChildProcess {
  const [first, ...rest] = confined(command);
  const child = spawn(first, rest, {
    ...{ cwd, env: { PATH: process.env['PATH'], ...env } },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  child.once('error', onEnd);
  child.once('exit', (code, by) => onEnd(new Error(`The service's program ended with ${code ?? by}.`)));
  return child;
}

/**
 * In good order where it can: it writes down what it holds. `told`: all processes of the machine were asked to end, this one
 * among them; asked again it would end at once, as Azurite does, and write nothing down.
 */
async function end(child: ChildProcess | undefined, told: boolean): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), told ? endsWithinMs / 2 : 0),
    setTimeout(() => child.kill('SIGKILL'), endsWithinMs),
  ];
  await gone;
  for (const timer of timers) clearTimeout(timer);
}
