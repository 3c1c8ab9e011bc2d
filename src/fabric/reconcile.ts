import { join } from 'node:path';
import type { FabricIntent, FabricReport } from '../exchange/intents/fabric.ts';
import type { Revised } from '../exchange/revision.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import { changedByOthers, planNamespace, type NamespaceIs } from '../network/namespace.ts';
import { applyNamespaces, deleteNamespace } from '../network/namespace-apply.ts';
import { readNamespace, readNamespaceNames } from '../network/namespace-read.ts';
import { nftVersion, type TableMark } from '../network/nft.ts';
import type { Failure, Reconciler, Status } from '../reconcile/reconciler.ts';
import type { Canary } from './canary.ts';
import type { Machines } from './machine/machines.ts';
import { ground, linkNamespace, routerNamespace, type FabricPaths } from './names.ts';
import { numberNetworks, planWorld, type NetworkNumbers, type WorldPlan } from './plan.ts';

export interface FabricReconcilerOptions {
  /** The intent as of now; undefined before there is any. */
  readonly intent: () => Revised<FabricIntent> | undefined;
  /** Whether somebody reads the recorders: they stand only then. */
  readonly recording: () => boolean;
  readonly machines: Machines;
  readonly canary: Canary;
  readonly paths: FabricPaths;
  readonly numbers: NetworkNumbers;
  /** Tables of a namespace that somebody else had changed are put back. */
  readonly onPutBack: (namespace: string, table: string) => void;
}

export interface FabricReconciler extends Reconciler {
  /** What is, as the last pass left it. */
  report(): Pick<FabricReport, 'networks' | 'machines' | 'links'>;
  /** The revision that pass was for. */
  applied(): string | null;
  /** The intent that it was for. */
  inPlace(): FabricIntent | undefined;
  /** Whether the last pass has put the recorders up. */
  recording(): boolean;
}

/** What was put in place, for as long as the namespaces live. */
const marksPath = join(ground, 'marks.json');

/**
 * Networks, links and machines in one: read → plan → apply → report. Walls come first: rules change before anything is
 * started, and a pass waits for nothing but the commands it runs.
 */
export function createFabricReconciler(options: FabricReconcilerOptions): FabricReconciler {
  const { machines, canary, paths } = options;
  let numbers = options.numbers;
  let marks: Map<string, Map<string, TableMark>> | undefined;
  let version: string | undefined;
  let standing = false;
  let last:
    | {
        readonly intent: FabricIntent;
        readonly revision: string;
        readonly world: WorldPlan;
        readonly faults: ReadonlyMap<string, Fault>;
      }
    | undefined;

  async function realise(world: WorldPlan, faults: Map<string, Fault>, signal: AbortSignal) {
    version ??= await nftVersion();
    marks ??= await readStoredMarks(version);
    const names = new Set(await readNamespaceNames());
    const seen = new Map<string, NamespaceIs>();
    await Promise.all(
      world.namespaces
        .filter(({ name }) => names.has(name))
        .map(async ({ name }) => {
          try {
            seen.set(name, await readNamespace(name, signal));
          } catch (error) {
            faults.set(name, faultOf(error));
          }
        }),
    );
    const pairs = world.namespaces
      .filter(({ name }) => !faults.has(name))
      .map((shall) => ({
        shall,
        plan: planNamespace(
          shall,
          seen.get(shall.name),
          marks!.get(shall.name) ?? new Map<string, TableMark>(),
        ),
      }));
    for (const { shall } of pairs) {
      const others = changedByOthers(
        shall,
        seen.get(shall.name),
        marks.get(shall.name) ?? new Map<string, TableMark>(),
      );
      for (const table of others) options.onPutBack(shall.name, table);
    }
    const changing = pairs.filter(({ plan }) => plan.changes > 0);
    if (changing.length > 0) {
      await applyNamespaces(changing, {
        marks,
        signal,
        failed: (namespace, step, error) =>
          faults.set(namespace, { ...faultOf(error), message: `${step}: ${faultOf(error).message}` }),
      });
    }
    const surplus = [...names].filter((name) => !world.namespaces.some((shall) => shall.name === name));
    for (const name of surplus) {
      try {
        await deleteNamespace(name, signal);
        marks.delete(name);
      } catch (error) {
        faults.set(name, faultOf(error));
      }
    }
    if (changing.length > 0 || surplus.length > 0) await storeMarks(version, marks);
    const attached = new Set(
      pairs
        .filter(({ plan }) => !faults.has(plan.name))
        .flatMap(({ shall }) => shall.devices.map(({ name }) => name)),
    );
    return {
      changed: changing.map(({ plan }) => plan.name),
      surplus,
      unchanged: pairs.length - changing.length,
      attached,
    };
  }

  return {
    name: 'fabric',
    periodMs: 5_000,
    async reconcile(signal): Promise<Status> {
      const current = options.intent();
      if (!current) return { at: 'applied', unchanged: 0, applied: [], cleared: [], failed: [] };
      const { document: intent, revision } = current;
      const faults = new Map<string, Fault>();
      const recording = options.recording();
      // Before anything is taken down: whoever comes to read during this pass waits for the next, and for sets that stay.
      if (!recording) standing = false;
      let world: WorldPlan;
      try {
        const next = numberNetworks(intent.networks, numbers);
        if (JSON.stringify(next) !== JSON.stringify(numbers)) await writeJson(paths.numbers, next);
        numbers = next;
        world = planWorld(intent, machines.running(), numbers, recording);
      } catch (error) {
        return { at: 'planning', error: faultOf(error) };
      }
      let first: Awaited<ReturnType<typeof realise>>;
      try {
        first = await realise(world, faults, signal);
      } catch (error) {
        return { at: 'reading', error: faultOf(error) };
      }
      // Networks and gates stand: what hangs on them may follow.
      const { started, ended } = await machines.settle(intent, world.refused);
      let second = first;
      if (started.length > 0 || ended.length > 0) {
        world = planWorld(intent, machines.running(), numbers, recording);
        second = await realise(world, faults, signal);
      }
      await machines.configure(intent, second.attached);
      await canary.settle().catch((error: unknown) => faults.set('canary', faultOf(error)));
      last = { intent, revision, world, faults };
      standing = recording;
      return {
        at: 'applied',
        unchanged: second.unchanged,
        applied: [...new Set([...first.changed, ...second.changed, ...started])],
        cleared: [...first.surplus, ...second.surplus, ...ended],
        failed: failures(faults, world),
      };
    },
    recording: () => standing,
    applied: () => last?.revision ?? null,
    inPlace: () => last?.intent,
    report() {
      if (!last) return { networks: {}, machines: {}, links: {} };
      const { intent, world, faults } = last;
      const fault = (id: string, ...names: readonly string[]): Fault | null => {
        const refused = world.refused.get(id);
        if (refused !== undefined) return { code: 'IntentRefused', message: refused };
        return names.map((name) => faults.get(name)).find((found) => found !== undefined) ?? null;
      };
      return {
        networks: Object.fromEntries(
          intent.networks.map(({ id }) => {
            const error = fault(id, routerNamespace(id));
            return [id, { state: error ? ('failed' as const) : ('ready' as const), error }];
          }),
        ),
        links: Object.fromEntries(
          intent.links.map(({ id, open, consumer, provider }) => {
            const error = fault(
              id,
              linkNamespace(id),
              routerNamespace(consumer.network),
              routerNamespace(provider.network),
            );
            return [
              id,
              { state: error ? ('failed' as const) : open ? ('open' as const) : ('closed' as const), error },
            ];
          }),
        ),
        machines: Object.fromEntries(
          intent.machines.map((machine) => {
            const report = machines.report(machine);
            const error = fault(machine.id, routerNamespace(machine.network));
            if (!error) return [machine.id, report];
            return [machine.id, { ...report, state: 'failed' as const, error }];
          }),
        ),
      };
    },
  };
}

function failures(faults: ReadonlyMap<string, Fault>, world: WorldPlan): readonly Failure[] {
  return [
    ...[...faults].map(([item, error]) => ({ item, error })),
    ...[...world.refused].map(([item, message]) => ({ item, error: { code: 'IntentRefused', message } })),
  ];
}

interface StoredMarks {
  /** Of nft: another one may list the same tables in another way. */
  readonly version: string;
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, TableMark>>>>;
}

async function readStoredMarks(version: string): Promise<Map<string, Map<string, TableMark>>> {
  const stored = await readJson<StoredMarks>(marksPath).catch(() => undefined);
  // None, half a one, or another nft's: every table is put in place anew, which changes nothing that is right.
  if (stored?.version !== version) return new Map();
  return new Map(
    Object.entries(stored.namespaces).map(([name, tables]) => [name, new Map(Object.entries(tables))]),
  );
}

async function storeMarks(
  version: string,
  marks: ReadonlyMap<string, ReadonlyMap<string, TableMark>>,
): Promise<void> {
  const namespaces = Object.fromEntries(
    [...marks].map(([name, tables]) => [name, Object.fromEntries(tables)]),
  );
  await writeJson(marksPath, { version, namespaces } satisfies StoredMarks);
}
