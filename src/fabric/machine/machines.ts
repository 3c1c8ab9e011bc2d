import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  FabricIntent,
  FabricMachine,
  FabricNetwork,
  MachineReport,
} from '../../exchange/intents/fabric.ts';
import { serviceKinds } from '../../exchange/intents/service.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf, type Fault } from '../../lib/errors.ts';
import { exec } from '../../lib/exec.ts';
import type { Log } from '../../lib/log.ts';
import { diskName, machineDevice, type FabricPaths } from '../names.ts';
import { markOfRecord, type MachineRecord, type MachineRecords } from '../state.ts';
import { machineCommand, type MachineUser } from './command.ts';
import { makeDisk, nicFile, seedFile, seedMark } from './disk.ts';
import { diskPath, findDoors, infoPath, writeEtc, type SharedGround } from './ground.ts';
import { adoptable, killStrays, launch } from './launch.ts';
import { readServiceHealth } from './service-health.ts';
import { isAlive, kill } from '../../lib/process.ts';

export interface MachinesOptions {
  readonly records: MachineRecords;
  readonly ground: SharedGround;
  readonly paths: FabricPaths;
  /** Whom machines belong to; null: whoever runs the fabric. */
  readonly user: MachineUser | null;
  readonly clock: Clock;
  readonly log: Log;
  /** A machine has ended: a pass is due. */
  readonly onEnd: () => void;
}

export interface Machines {
  /** Ids and pids of those that run. */
  running(): ReadonlyMap<string, number>;
  /** Ends what shall not be or shall be otherwise, starts what is missing. Answers what it did. */
  settle(
    intent: FabricIntent,
    refused: ReadonlyMap<string, string>,
  ): Promise<{ readonly started: readonly string[]; readonly ended: readonly string[] }>;
  /** Brings up the interfaces of machines whose role does not do it itself. `fresh`: cables made in this pass. */
  configure(intent: FabricIntent, attached: ReadonlySet<string>): Promise<void>;
  report(machine: FabricMachine): MachineReport;
}

interface Trouble {
  readonly fault: Fault;
  readonly tries: number;
  /** Not before then, in milliseconds since the epoch. */
  readonly next: number;
}

export function createMachines(options: MachinesOptions): Machines {
  const { records, clock, log } = options;
  const troubles = new Map<string, Trouble>();
  const configured = new Map<string, number>();

  const running = (): ReadonlyMap<string, number> => {
    const pids = new Map<string, number>();
    for (const record of records.all()) {
      const mark = markOfRecord(record);
      if (mark && isAlive(mark)) pids.set(record.id, mark.pid);
    }
    return pids;
  };

  const trouble = (id: string, error: unknown): void => {
    const tries = (troubles.get(id)?.tries ?? 0) + 1;
    troubles.set(id, {
      fault: faultOf(error),
      tries,
      next: clock.now() + Math.min(1_000 * 2 ** tries, 60_000),
    });
    log.warn('machine failed', { machine: id, error });
  };

  /** Root's sockets are nobody's to pass on: no machine is root outside. */
  const doorUser = (owner: number): MachineUser | null =>
    options.user && owner !== 0 ? { uid: owner } : options.user;

  async function start(machine: FabricMachine, network: FabricNetwork): Promise<void> {
    const doors = machine.kind === 'control-door' ? await findDoors(options.paths.operatorDoors) : null;
    // Control's door runs as control's own user, the one who may use control's sockets.
    const user = doors ? doorUser(doors.uid) : options.user;
    const disk = diskPath(machine.id);
    await makeDisk(disk, user);
    await rm(join(disk, 'nic.json'), { force: true });
    await seedFile(disk, 'nic.json', nicFile(machine, network), user);
    const etc = await writeEtc(machine.id, machine.hostname, options.ground);
    const known = adoptable(machine.id);
    if (!known) await killStrays(disk);
    const mark =
      known ??
      (await launch(
        machineCommand(machine, { ...options.ground, etc, disk, doors: doors?.folder ?? null }, user),
        infoPath(machine.id),
        clock,
        () => {
          log.info('machine ended', { machine: machine.id });
          options.onEnd();
        },
      ));
    await records.put({
      ...pick(machine),
      ...mark,
      since: new Date(clock.now()).toISOString(),
      uid: user?.uid ?? null,
      seeded: records.get(machine.id)?.seeded ?? {},
    });
    log.info('machine started', { machine: machine.id, pid: mark.pid });
  }

  async function seed(machine: FabricMachine): Promise<void> {
    const record = records.get(machine.id);
    const fresh = Object.entries(machine.seed).filter(
      ([name, content]) => record?.seeded[name] !== seedMark(content),
    );
    if (!record || fresh.length === 0) return;
    const user = record.uid === null ? null : { uid: record.uid };
    for (const [name, content] of fresh) await seedFile(diskPath(machine.id), name, content, user);
    await records.put({
      ...record,
      seeded: {
        ...record.seeded,
        ...Object.fromEntries(fresh.map(([name, content]) => [name, seedMark(content)])),
      },
    });
  }

  async function end(record: MachineRecord): Promise<void> {
    const mark = markOfRecord(record);
    if (mark) await kill(mark);
    configured.delete(record.id);
  }

  return {
    running,
    async settle(intent, refused) {
      const started: string[] = [];
      const ended: string[] = [];
      const shall = new Map(
        intent.machines.filter(({ id }) => !refused.has(id)).map((machine) => [machine.id, machine]),
      );
      const named = new Set(intent.machines.map(({ id }) => id));
      const networks = new Map(intent.networks.map((network) => [network.id, network]));
      for (const record of records.all()) {
        const machine = shall.get(record.id);
        if (machine && same(record, machine)) continue;
        try {
          await end(record);
          // A disk is a machine's for its life: it goes only when the intent no longer names it.
          if (!named.has(record.id)) {
            await rm(join(options.paths.machines, diskName(record.id)), { recursive: true, force: true });
            await records.delete(record.id);
            troubles.delete(record.id);
          }
          ended.push(record.id);
        } catch (error) {
          trouble(record.id, error);
        }
      }
      const live = running();
      // One after the other would be slow, all at once would starve the machine: they are cheap until their roles start.
      await Promise.all(
        [...shall.values()].map(async (machine) => {
          try {
            if (!live.has(machine.id)) {
              await noteDeath(machine.id);
              const waits = troubles.get(machine.id);
              if (waits && waits.next > clock.now()) return;
              await prepareSeeds(machine);
              await start(machine, networks.get(machine.network)!);
              started.push(machine.id);
            } else if (lived(machine.id) > 30_000) troubles.delete(machine.id);
            await seed(machine);
          } catch (error) {
            trouble(machine.id, error);
          }
        }),
      );
      return { started, ended };
    },
    async configure(intent, attached) {
      const live = running();
      for (const machine of intent.machines) {
        const pid = live.get(machine.id);
        if (
          pid === undefined ||
          machine.kind === 'node' ||
          !attached.has(machineDevice(machine.id)) ||
          configured.get(machine.id) === pid
        )
          continue;
        try {
          const network = intent.networks.find(({ id }) => id === machine.network);
          if (!network) continue;
          await configureInterface(pid, machine, network);
          configured.set(machine.id, pid);
        } catch (error) {
          trouble(machine.id, error);
        }
      }
    },
    report(machine) {
      const record = records.get(machine.id);
      const mark = record && markOfRecord(record);
      const fault = troubles.get(machine.id)?.fault ?? null;
      if (record && mark && isAlive(mark))
        return { state: 'running', pid: mark.pid, since: record.since, error: null, ...serviceOf(machine) };
      return { state: fault ? 'failed' : 'starting', pid: null, since: null, error: fault };
    },
  };

  function serviceOf({ id, kind }: FabricMachine): Pick<MachineReport, 'service'> {
    return isService(kind) ? { service: readServiceHealth(diskPath(id), clock.now()) } : {};
  }

  function lived(id: string): number {
    return clock.now() - Date.parse(records.get(id)?.since ?? new Date(clock.now()).toISOString());
  }

  /** A machine that ends soon after its start is not started at once again, over and over. */
  async function noteDeath(id: string): Promise<void> {
    const record = records.get(id);
    if (!record || record.pid === null) return;
    const age = lived(id);
    await records.put({ ...record, pid: null, start: null, since: null });
    if (age < 10_000)
      trouble(id, new Error(`The machine ended ${Math.round(age / 1000)} s after its start.`));
  }

  /** Before a machine's first start: what its role reads first has to be there. */
  async function prepareSeeds(machine: FabricMachine): Promise<void> {
    if (records.get(machine.id)) return;
    const user =
      machine.kind === 'control-door'
        ? doorUser((await findDoors(options.paths.operatorDoors)).uid)
        : options.user;
    await makeDisk(diskPath(machine.id), user);
    await records.put({
      ...pick(machine),
      pid: null,
      start: null,
      since: null,
      uid: user?.uid ?? null,
      seeded: {},
    });
    await seed(machine);
  }
}

const isService = (kind: string): boolean => serviceKinds.some((service) => service === kind);

const pick = ({ id, kind, hostname, network, subnet, address }: FabricMachine) => ({
  id,
  kind,
  hostname,
  network,
  subnet,
  address,
});

/** What can't be changed on a running machine. */
const same = (record: MachineRecord, machine: FabricMachine): boolean =>
  (['kind', 'hostname', 'network', 'subnet', 'address'] as const).every(
    (key) => record[key] === machine[key],
  );

async function configureInterface(
  pid: number,
  machine: FabricMachine,
  network: FabricNetwork,
): Promise<void> {
  const nic = JSON.parse(nicFile(machine, network)) as { address: string; gateway: string };
  const lines = [
    'link set lo up',
    `addr replace ${nic.address} dev eth0`,
    'link set eth0 up',
    `route replace default via ${nic.gateway}`,
  ];
  await exec('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
  });
}
