/** The tries by the gate: which machine has which way, and one run of the prober of TLS in a machine. */
import { readFile } from 'node:fs/promises';
import type { FabricIntent, VerifyGate } from '../../exchange/intents/fabric.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { ports } from '../../network/ports.ts';
import type { Facts } from './facts.ts';
import type { GateHeard, GateOrders } from './gate-probe.ts';
import { shownByGate } from './judge-gate.ts';
import type { Identity } from './result.ts';
import { atOnceOf, gateBatch, type GateBatch, type GateWay } from './tries-gate.ts';
import { doorOf } from './try.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

/** Where machines with a role have it. */
export const nodeInMachine = '/opt/tools/node';

export interface GateProgram {
  readonly text: string;
  /** How Node.js has to read it. */
  readonly type: 'module' | 'module-typescript';
}

/** The prober lies beside this module, compiled or not as this one is. */
export async function readGateProgram(): Promise<GateProgram> {
  const isSource = import.meta.url.endsWith('.ts');
  const text = await readFile(new URL(`./gate-probe.${isSource ? 'ts' : 'js'}`, import.meta.url), 'utf8');
  return { text, type: isSource ? 'module-typescript' : 'module' };
}

export const gateMachineOf = (world: VerifyWorld): WorldMachine | undefined =>
  world.machines.find(({ kind }) => kind === 'gate');

/** The operator that a machine is, or whose door it has. */
const operatorOf = (world: VerifyWorld, machine: WorldMachine): WorldMachine | undefined =>
  machine.kind === 'operator'
    ? machine
    : world.machines.find((m) => m.kind === 'operator' && m.address === doorOf(world, machine)?.destination);

/** What is said of the gate for this machine's operator; undefined: it has no way to accounts. */
export function gateOf(world: VerifyWorld, machine: WorldMachine): VerifyGate | undefined {
  const operator = operatorOf(world, machine);
  return world.gates?.find((gate) => gate.operator === operator?.id && gate.accounts.length > 0);
}

/** What an intent says of the gate for a proof; undefined: it knows the proof no more. */
export const gatesOfWork = (
  intent: Pick<FabricIntent, 'work'> | undefined,
  id: string,
): readonly VerifyGate[] | undefined =>
  intent?.work.filter((one) => one.kind === 'verify').find((one) => one.id === id)?.gates;

/** Which accounts of others a machine aims at. A node's root sees what is dialled there: no other customer's are. */
export const aimsOf = (gate: VerifyGate, { kind }: WorldMachine): VerifyGate['others'] =>
  kind === 'operator' ? gate.others : gate.others.filter(({ shared }) => shared);

/** An operator dials the gate, a node its operator inside the tunnel. */
function wayOf(
  world: VerifyWorld,
  machine: WorldMachine,
  facts: ReadonlyMap<string, Facts>,
): GateWay | undefined {
  if (machine.kind === 'operator') {
    const gate = gateMachineOf(world);
    return gate && { to: gate.address, port: ports.gate };
  }
  const tunnel = facts.get(operatorOf(world, machine)?.id ?? '')?.tunnel;
  return tunnel ? { to: tunnel.address, port: ports.services } : undefined;
}

interface Prober {
  readonly world: VerifyWorld;
  readonly gateProgram: GateProgram;
  readonly log: Log;
}

/** Of each gate that has a machine, the account whose service answers; else the first. */
export async function chooseAccounts(
  run: Prober & { readonly operators: readonly WorldMachine[] },
  facts: ReadonlyMap<string, Facts>,
): Promise<ReadonlyMap<VerifyGate, GateBatch['account']>> {
  const chosen = run.operators.map(async (operator) => {
    const gate = gateOf(run.world, operator);
    const way = wayOf(run.world, operator, facts);
    if (!gate) return [];
    const askable = gate.accounts.filter(({ ask }) => ask !== null).slice(0, 8);
    const first = askable[0] ?? gate.accounts[0]!;
    if (!way || askable.length < 2) return [[gate, first] as const];
    const batches = askable.map((account) => gateBatch({ gate, account, way, turn: 0 }));
    for (const batch of batches)
      if (
        shownByGate({ batch, heard: await probeGate(run, operator, { ...batch, tries: [] }, 'root') }).has(
          'request',
        )
      )
        return [[gate, batch.account] as const];
    return [[gate, first] as const];
  });
  return new Map((await Promise.all(chosen)).flat());
}

/**
 * What machines of one turn try by the gate, by machine; those are left out that have no gate. Nodes of one operator share the means among
 * them, each another part in each phase: the gate sees them all come from that operator.
 */
export function gateTriesOf(
  world: VerifyWorld,
  machines: readonly WorldMachine[],
  facts: ReadonlyMap<string, Facts>,
  accounts: ReadonlyMap<VerifyGate, GateBatch['account']>,
  phase: number,
): ReadonlyMap<string, GateBatch> {
  const batches = machines.flatMap((machine, turn) => {
    const gate = gateOf(world, machine);
    const account = gate && accounts.get(gate);
    if (!account) return [];
    const way = wayOf(world, machine, facts) ?? { to: '', port: 0 };
    const batch = gateBatch({ gate, account, way, turn: turn + phase, others: aimsOf(gate, machine) });
    const mates = machines.filter((other) => gateOf(world, other) === gate);
    const share = (mates.indexOf(machine) + phase) % mates.length;
    const tries = batch.tries.filter((_, n) => n % mates.length === share);
    return [[machine.id, { ...batch, tries, atOnce: atOnceOf(mates.length) }] as const];
  });
  return new Map(batches);
}

/** One run of the prober. One that fails leaves its tries without a word, and they are then not proved. */
export async function probeGate(
  { world, gateProgram: { text, type }, log }: Prober,
  machine: WorldMachine,
  { authority, account, controls, tries, atOnce }: GateBatch,
  as: Identity,
): Promise<ReadonlyMap<string, GateHeard>> {
  if (authority === null || controls.length === 0) return new Map();
  const orders: GateOrders = {
    ...{ authority, names: [account.name], atOnce },
    orders: [...controls.slice(0, -1), ...tries, ...controls.slice(-1)].map(({ order }) => order),
  };
  // It doesn't wait for what lingers of its sockets.
  const tail = `process.stdout.write(JSON.stringify(await sayAll(${JSON.stringify(orders)})), () => process.exit());`;
  const input = `${text}\n${tail}\n`;
  const argv = [nodeInMachine, '--no-warnings', `--input-type=${type}`, '-'];
  try {
    const said = await world.enter(machine.id, argv, { as, input, timeoutMs: 30_000 });
    if (said.exitCode !== 0)
      throw new Error(said.stderr.trim().slice(0, 500) || `It ended with ${said.exitCode}.`);
    const heard = JSON.parse(said.stdout) as readonly GateHeard[];
    return new Map(heard.map((one) => [one.id, one]));
  } catch (error) {
    log.warn('the prober of the gate failed', { machine: machine.id, as, fault: faultOf(error) });
    return new Map();
  }
}
