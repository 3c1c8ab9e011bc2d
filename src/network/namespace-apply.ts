import { exec } from '../lib/exec.ts';
import { faultOf } from '../lib/errors.ts';
import type { DeviceShall, NamespacePlan, NamespaceShall } from './namespace.ts';
import { namespacePath, readNamespace } from './namespace-read.ts';
import { isStaged } from './nft-stage.ts';
import { deleteTables, nft, planMark, putTables, readMarks, tableKey, type TableMark } from './nft.ts';
import type { NftTable } from './nft-table.ts';

export interface ApplyContext {
  /** What was put in place, by namespace; this changes it. */
  readonly marks: Map<string, Map<string, TableMark>>;
  readonly failed: (namespace: string, step: string, error: unknown) => void;
  readonly signal?: AbortSignal;
}

interface Pair {
  readonly plan: NamespacePlan;
  readonly shall: NamespaceShall;
}

/**
 * Applies the plans of all namespaces, walls first: no device exists before the tables that bound it, none is up before
 * its own stand. A failure is reported for its namespace, and the others go on; a namespace whose walls could not be put
 * in place goes no further in this pass, for what comes after would stand open.
 */
export async function applyNamespaces(pairs: readonly Pair[], context: ApplyContext): Promise<void> {
  const unwalled = new Set<string>();
  const walled = (): readonly Pair[] => pairs.filter(({ plan }) => !unwalled.has(plan.name));
  const each = async (
    step: string,
    work: (pair: Pair) => Promise<void>,
    mark: { readonly wall: boolean } = { wall: false },
  ): Promise<void> => {
    await Promise.all(
      walled().map(async (pair) => {
        try {
          await work(pair);
        } catch (error) {
          if (mark.wall) unwalled.add(pair.plan.name);
          context.failed(pair.plan.name, step, error);
        }
      }),
    );
  };
  const wall = { wall: true };
  await each('create', async ({ plan, shall }) => (plan.create ? create(shall, context) : undefined), wall);
  await each('rules', ({ plan }) => placeTables(plan, plan.inet, context), wall);
  // Cables tie two namespaces together: one after the other, so that a pair isn't made from both ends at once.
  for (const { plan } of walled()) {
    try {
      await cables(plan, context.signal);
    } catch (error) {
      context.failed(plan.name, 'cables', error);
    }
  }
  await each('interface rules', ({ plan }) => placeTables(plan, plan.netdev, context), wall);
  await each('raise', ({ plan }) => raise(plan, context.signal));
  await each('routes', ({ plan }) => batch(plan.name, plan.lines, context.signal));
  await each('clear', ({ plan }) => clearTables(plan, context));
}

export async function deleteNamespace(name: string, signal?: AbortSignal): Promise<void> {
  await exec('ip', ['netns', 'delete', name], { ...(signal && { signal }) });
}

async function create(shall: NamespaceShall, context: ApplyContext): Promise<void> {
  const { signal } = context;
  context.marks.delete(shall.name);
  await exec('ip', ['netns', 'add', shall.name], { ...(signal && { signal }) });
  try {
    await writeSysctls(shall.name, shall.sysctls, signal);
    await batch(shall.name, ['link set lo up', ...shall.setup.ipv4], signal);
    if (shall.setup.ipv6.length > 0) await batch(shall.name, shall.setup.ipv6, signal, ['-6']);
  } catch (error) {
    // Half of one would be taken for a whole one by the next pass.
    await deleteNamespace(shall.name).catch(() => undefined);
    throw error;
  }
}

const absent = 'absent';

async function placeTables(
  plan: NamespacePlan,
  tables: readonly NftTable[],
  context: ApplyContext,
): Promise<void> {
  if (tables.length === 0) return;
  const path = namespacePath(plan.name);
  await putTables(path, tables, context.signal);
  const listed = await readMarks(path, context.signal);
  const marks = context.marks.get(plan.name) ?? new Map<string, TableMark>();
  context.marks.set(plan.name, marks);
  for (const table of tables) {
    const key = tableKey(table);
    const mark = { plan: planMark(table), listed: listed.get(key) ?? absent };
    // Between the two another hand may have changed a table again. Of one that is put back it is known what it looks like, so
    // that what the hand left is not taken for it. The chains of a large table have other names each time, and of one whose
    // device died in between nothing is known.
    const before = marks.get(key);
    if (before?.plan !== mark.plan || before.listed === absent || isStaged(table)) marks.set(key, mark);
  }
}

async function clearTables(plan: NamespacePlan, context: ApplyContext): Promise<void> {
  if (plan.dropTables.length === 0) return;
  await nft(namespacePath(plan.name), deleteTables(plan.dropTables), context.signal);
  for (const key of plan.dropTables) context.marks.get(plan.name)?.delete(key);
}

async function cables(plan: NamespacePlan, signal?: AbortSignal): Promise<void> {
  // Both ends of a cable go together, so one that an earlier plan took away may be gone by now.
  if (plan.dropDevices.length > 0)
    await batch(
      plan.name,
      plan.dropDevices.map((name) => `link del ${name}`),
      signal,
      ['-force'],
    ).catch(() => undefined);
  if (plan.addDevices.length === 0) return;
  const { devices } = await readNamespace(plan.name, signal);
  const missing = plan.addDevices.filter(({ name }) => !devices.some((device) => device.name === name));
  const problems: string[] = [];
  for (const device of missing) {
    try {
      await exec('ip', ['-n', plan.name, 'link', 'add', ...cableWords(device)], {
        ...(signal && { signal }),
      });
    } catch (error) {
      problems.push(`${device.name}: ${faultOf(error).message}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
}

function cableWords({ name, mac, far }: DeviceShall): readonly string[] {
  const place = 'pid' in far ? String(far.pid) : far.namespace;
  return [
    name,
    'address',
    mac,
    'mtu',
    '1500',
    'type',
    'veth',
    'peer',
    'name',
    far.device,
    'address',
    far.mac,
    'mtu',
    '1500',
    'netns',
    place,
  ];
}

async function raise(plan: NamespacePlan, signal?: AbortSignal): Promise<void> {
  if (plan.raise.length === 0) return;
  const there = new Set((await readNamespace(plan.name, signal)).devices.map(({ name }) => name));
  const devices = plan.raise.filter(({ name }) => there.has(name));
  await writeSysctls(
    plan.name,
    Object.assign({}, ...devices.map(({ sysctls }) => sysctls)) as Record<string, string>,
    signal,
  );
  await batch(
    plan.name,
    devices.map(({ name }) => `link set ${name} up`),
    signal,
  );
}

/** Keys below net/ (`ipv4/conf/all/rp_filter`); one that ends with `?` is left out where the kernel lacks it. */
async function writeSysctls(
  name: string,
  sysctls: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  const lines = Object.entries(sysctls).map(([key, value]) =>
    key.endsWith('?')
      ? `[ ! -w net/${key.slice(0, -1)} ] || echo ${value} > net/${key.slice(0, -1)}`
      : `echo ${value} > net/${key}`,
  );
  if (lines.length === 0) return;
  const script = ['set -e', 'cd /proc/sys', ...lines].join('\n');
  await exec('nsenter', [`--net=${namespacePath(name)}`, 'sh'], {
    input: `${script}\n`,
    ...(signal && { signal }),
  });
}

async function batch(
  name: string,
  lines: readonly string[],
  signal?: AbortSignal,
  flags: readonly string[] = [],
): Promise<void> {
  if (lines.length === 0) return;
  await exec('ip', ['-n', name, ...flags, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    ...(signal && { signal }),
  });
}
