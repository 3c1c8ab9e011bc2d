import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Facts } from './facts.ts';
import { look } from './look.ts';
import { chooseAccounts, gateTriesOf, type GateProgram } from './gate.ts';
import type { HostCanary } from './outside.ts';
import type { Phase } from './played.ts';
import type { Control, Identity } from './result.ts';
import { controlTries, triesOf } from './tries.ts';
import type { GateBatch } from './tries-gate.ts';
import { firstPort, firstTunnelPort, type Aims, type Batch } from './try.ts';
import type { VerifyWorld, WorldMachine } from './world.ts';

export interface PlannedBatch {
  readonly machine: WorldMachine;
  readonly batch: Batch;
  /** What it tries by the gate; left out where it has no way there. */
  readonly gate?: GateBatch | undefined;
}

/** Machines that try at the same time, phase by phase. */
export interface Turn {
  /** Those that could be looked at. */
  readonly able: readonly WorldMachine[];
  readonly phases: readonly { readonly phase: Phase; readonly batches: readonly PlannedBatch[] }[];
}

/** All that will be sent, made before anything is: the watchers must know which ports to listen on. */
export interface RunPlan {
  /** By machine id, of every machine that could be looked at. */
  readonly facts: ReadonlyMap<string, Facts>;
  readonly nodes: Turn;
  readonly operators: Turn;
  /** Of each network, the application machine that does the same from where a way out is. */
  readonly applications: readonly PlannedBatch[];
  readonly tunnelPorts: readonly number[];
  /** What could not be looked at, or is missing. */
  readonly controls: readonly Control[];
}

const phases: readonly Phase[] = [
  { as: 'root', rules: 'in force' },
  { as: 'cassandra', rules: 'in force' },
  { as: 'root', rules: 'flushed' },
  { as: 'cassandra', rules: 'flushed' },
];

export async function planRun(options: {
  readonly world: VerifyWorld;
  readonly nodes: readonly WorldMachine[];
  readonly operators: readonly WorldMachine[];
  readonly host: HostCanary;
  readonly program: string;
  readonly gateProgram: GateProgram;
  readonly log: Log;
}): Promise<RunPlan> {
  const { world, nodes, operators, host, program } = options;
  const networks = new Set(nodes.map((m) => m.network));
  const facts = new Map<string, Facts>();
  const controls: Control[] = [];
  const near = world.machines.filter((m) => m.kind === 'operator' || networks.has(m.network));
  await Promise.all(
    near.map(async (machine) => {
      try {
        facts.set(machine.id, await look(world, machine, program));
      } catch (error) {
        controls.push({
          kind: 'recorder',
          what: 'the machine',
          from: machine.hostname,
          seen: false,
          evidence: faultOf(error).message,
        });
      }
    }),
  );

  const accounts = await chooseAccounts(
    { ...options, operators: operators.filter(({ id }) => facts.has(id)) },
    facts,
  );
  let [port, tunnelPort, turn] = [firstPort, firstTunnelPort, 0];
  const aims = (machine: WorldMachine, as: Identity): Aims => ({
    world,
    machine,
    facts: facts.get(machine.id)!,
    others: facts,
    as,
    host,
    port: () => port++,
    tunnelPort: () => tunnelPort++,
    turn: turn++,
  });
  const turnOf = (machines: readonly WorldMachine[]): Turn => {
    const able = machines.filter((m) => facts.has(m.id));
    const planned = phases.map((phase, n) => {
      const byGate = gateTriesOf(world, able, facts, accounts, n);
      const batches = able.map((machine) => ({
        machine,
        batch: triesOf(aims(machine, phase.as)),
        gate: byGate.get(machine.id),
      }));
      return { phase, batches };
    });
    return { able, phases: planned };
  };
  const turns = { nodes: turnOf(nodes), operators: turnOf(operators) };
  const applications = [...networks].flatMap((network) => {
    const machine = world.machines.find(
      (m) => m.kind === 'application' && m.network === network && facts.has(m.id),
    );
    if (machine) return [{ machine, batch: controlTries(aims(machine, 'root')) }];
    controls.push({
      kind: 'protocol',
      what: 'everything',
      from: network,
      seen: false,
      evidence: 'no application machine stands there',
    });
    return [];
  });
  const tunnelPorts = Array.from({ length: tunnelPort - firstTunnelPort }, (_, n) => firstTunnelPort + n);
  return { facts, ...turns, applications, tunnelPorts, controls };
}
