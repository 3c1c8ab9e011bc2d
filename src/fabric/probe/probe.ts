/**
 * One packet, sent from inside a machine, and where it is seen: on the machine's own cable, delivered to another one, in a
 * private link, on the internet. probe/ must never change a rule, a route or a recorder: what it does is what anybody's
 * packet does.
 */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { FabricIntent, Probe, ProbeResult } from '../../exchange/intents/fabric.ts';
import { until, type Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import { internetNamespace } from '../../network/internet.ts';
import { consumerDevice, machineDevice, routerNamespace, uplinkDevice } from '../names.ts';

export interface ProbeGround {
  readonly intent: FabricIntent;
  /** Runs a program in a machine, as its own root. */
  readonly enter: (
    machineId: string,
    argv: readonly string[],
    input: string,
  ) => Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }>;
  /** Starts a program in one of the fabric's network namespaces. It ends when its standard input does. */
  readonly start: (namespace: string, argv: readonly string[]) => ChildProcess;
  readonly program: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds that a packet has to be seen in, once it was sent: on one host it takes less than one. */
const patience = 400;
/** The program sends each packet so often. */
const rounds = 2;
/** As long as something is still to come, where it is known that it shall. */
const longest = 3000;

/** Sends all of them at once; `shall` says where each is expected, so that a busy host is waited for. */
export async function sendProbes(
  ground: ProbeGround,
  probes: readonly Probe[],
  shall: (probe: Probe) => readonly string[],
): Promise<readonly ProbeResult[]> {
  const word = randomInt(1, 0x10000) * 0x10000;
  const taps = namespacesFor(ground.intent, probes).map((name) => openTap(ground, name, word));
  try {
    await Promise.all(taps.map((tap) => tap.ready));
    const said = await send(ground, probes, word);
    const seen = () => taps.flatMap((tap) => tap.lines);
    const arrived = (n: number) => arrivals(ground.intent, seen(), n);
    const complete = () =>
      probes.every((probe, n) => shall(probe).every((at) => arrived(n).includes(at))) || undefined;
    await until('the probes', complete, { timeoutMs: longest, everyMs: 20, clock: ground.clock }).catch(
      () => undefined,
    );
    await ground.clock.sleep(patience, ground.signal);
    const blind = taps.map((tap) => tap.fault()).find((fault) => fault !== undefined) ?? null;
    return probes.map((probe, n): ProbeResult => ({
      said: said.get(n) ?? 'nothing',
      left: seen().includes(`${n} ${machineDevice(probe.from)} in`),
      arrived: [...arrived(n)],
      blind: said.has(n) ? blind : (said.fault ?? 'The machine could not send it.'),
      packets: said.has(n)
        ? { tried: rounds, arrived: Math.min(rounds, timesOf(ground.intent, seen(), n)) }
        : { tried: 0, arrived: 0 },
    }));
  } finally {
    for (const tap of taps) tap.close();
  }
}

interface Said extends ReadonlyMap<number, string> {
  readonly fault: string | undefined;
}

/** One sender in each machine that something comes from. */
async function send(ground: ProbeGround, probes: readonly Probe[], word: number): Promise<Said> {
  const said = new Map<number, string>();
  let fault: string | undefined;
  await Promise.all(
    [...new Set(probes.map(({ from }) => from))].map(async (from) => {
      const lines = probes.flatMap((probe, n) =>
        probe.from === from ? [`${n} ${probe.protocol} ${probe.to} ${probe.port}\n`] : [],
      );
      try {
        const sender = ground.intent.machines.find(({ id }) => id === from);
        if (!sender) throw new Error(`There is no machine '${from}'.`);
        const argv = ['/usr/bin/perl', '-e', ground.program, 'send', `${word}`, sender.address];
        const { stdout, stderr, exitCode } = await ground.enter(from, argv, lines.join(''));
        if (exitCode !== 0) fault = stderr.trim().slice(0, 300) || 'its sender ended badly';
        // A machine's root can have its sender say anything: of others' packets it is not believed.
        for (const [, n, state] of stdout.matchAll(/^(\d+) (\S+)$/gm))
          if (probes[Number(n)]?.from === from) said.set(Number(n), state!);
      } catch (error) {
        fault = faultOf(error).message;
      }
    }),
  );
  return Object.assign(said, { fault });
}

interface Tap {
  readonly ready: Promise<void>;
  /** `N DEVICE in|out` */
  readonly lines: readonly string[];
  fault(): string | undefined;
  close(): void;
}

function openTap(ground: ProbeGround, namespace: string, word: number): Tap {
  const child = ground.start(namespace, ['perl', '-e', ground.program, 'tap', `${word}`]);
  const lines: string[] = [];
  let fault: string | undefined;
  const ready = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      fault = `${namespace} can't be watched: ${error.message}`;
      resolve();
    });
    child.on('close', () => {
      fault ??= `${namespace} was not watched to the end`;
      resolve();
    });
    child.stdin!.on('error', () => undefined);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'ready') resolve();
      else lines.push(line);
    });
  });
  return { ready, lines, fault: () => fault, close: () => void child.stdin!.end() };
}

/** The routers that the packets may come by, and the internet: those of the senders' networks, of their peers, and behind their links. */
export function namespacesFor(intent: FabricIntent, probes: readonly Probe[]): readonly string[] {
  const own = intent.machines
    .filter(({ id }) => probes.some(({ from }) => from === id))
    .map(({ network }) => network);
  const near = new Set([
    ...own,
    ...intent.networks.flatMap(({ id, peerings = [] }) =>
      peerings.flatMap(({ network }) => (own.includes(id) ? [network] : own.includes(network) ? [id] : [])),
    ),
  ]);
  for (const { consumer, provider } of intent.links)
    if (near.has(consumer.network) || near.has(provider.network)) near.add(provider.network);
  const known = intent.networks.filter(({ id }) => near.has(id));
  return [internetNamespace, ...known.map(({ id }) => routerNamespace(id))];
}

/** Where the n-th probe came to, by the devices that it was seen on. */
function arrivals(intent: FabricIntent, lines: readonly string[], n: number): readonly string[] {
  const seen = new Set(lines);
  return [...new Set(ends(intent).flatMap(({ at, line }) => (seen.has(`${n} ${line}`) ? [at] : [])))];
}

/** How many of the n-th probe's packets came to one place: to that to which most came. */
const timesOf = (intent: FabricIntent, lines: readonly string[], n: number): number =>
  Math.max(0, ...ends(intent).map(({ line }) => lines.filter((one) => one === `${n} ${line}`).length));

/** All places that a packet can come to, and what a tap says of one that did. */
const ends = (intent: FabricIntent): readonly { readonly at: string; readonly line: string }[] => [
  ...intent.machines.map(({ id }) => ({ at: id, line: `${machineDevice(id)} out` })),
  ...intent.links.map(({ id }) => ({ at: id, line: `${consumerDevice(id)} out` })),
  ...intent.networks.map(({ id }) => ({ at: 'internet', line: `${uplinkDevice(id)} in` })),
];

/** The program lies beside this module, and in the sources where only those were compiled. */
export async function readProbeProgram(): Promise<string> {
  const beside = new URL('./probe.pl', import.meta.url);
  const source = new URL('../../../src/fabric/probe/probe.pl', import.meta.url);
  return readFile(beside, 'utf8').catch(() => readFile(source, 'utf8'));
}
