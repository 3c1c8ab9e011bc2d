import { readFileSync, readlinkSync } from 'node:fs';
import type { FabricMachine } from '../exchange/intents/fabric.ts';
import { readJson, writeJson } from '../lib/files.ts';
import { isAlive, type ProcessMark } from '../lib/process.ts';

/** A machine as it was made: for re-adoption, and for people who want to enter it. */
export interface MachineRecord {
  readonly id: string;
  readonly kind: FabricMachine['kind'];
  readonly hostname: string;
  readonly network: string;
  readonly subnet: string;
  readonly address: string;
  /** Process id of its init in the fabric's PID namespace; null while it does not run. */
  readonly pid: number | null;
  /** Start time of that process, in clock ticks since boot. */
  readonly start: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  /** The user outside that it belongs to; null: whoever runs the fabric. */
  readonly uid: number | null;
  /** Marks of the seeds that were put on its disk, by file name. */
  readonly seeded: Readonly<Record<string, string>>;
}

interface StateFile {
  /** Names the boot and the PID namespace in which the process ids hold. */
  readonly life: string;
  readonly machines: readonly MachineRecord[];
}

export const markOfRecord = (record: MachineRecord): ProcessMark | undefined =>
  record.pid === null || record.start === null ? undefined : { pid: record.pid, start: record.start };

/** `fabric/state.json`: written whole whenever a machine's record changes. */
export class MachineRecords {
  readonly #path: string;
  readonly #life: string;
  readonly #records = new Map<string, MachineRecord>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, life: string) {
    this.#path = path;
    this.#life = life;
  }

  /** Reads what an earlier process of this fabric, or an earlier life of it, left. */
  static async open(path: string, life = currentLife()): Promise<MachineRecords> {
    const records = new MachineRecords(path, life);
    const file = await readJson<StateFile>(path);
    for (const record of file?.machines ?? []) {
      const mark = file?.life === life ? markOfRecord(record) : undefined;
      records.#records.set(
        record.id,
        mark && isAlive(mark) ? record : { ...record, pid: null, start: null, since: null },
      );
    }
    await records.#write();
    return records;
  }

  all(): readonly MachineRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): MachineRecord | undefined {
    return this.#records.get(id);
  }

  async put(record: MachineRecord): Promise<void> {
    this.#records.set(record.id, record);
    await this.#write();
  }

  async delete(id: string): Promise<void> {
    this.#records.delete(id);
    await this.#write();
  }

  /** One write after the other: an older state must not come to lie over a newer one. */
  #write(): Promise<void> {
    const next = this.#writing.then(() =>
      writeJson(this.#path, { life: this.#life, machines: this.all() } satisfies StateFile),
    );
    this.#writing = next.catch(() => undefined);
    return next;
  }
}

function currentLife(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}
