import type { WallsReport } from '../../exchange/intents/fabric.ts';
import type { JsonObject } from '../../store/resource.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { renderTable } from '../output/table.ts';
import { wrap } from '../output/wrap.ts';
import { controlProcess } from './control.ts';
import { fabricProcess } from './fabric.ts';
import { duration } from './duration.ts';
import { accountRows, gateFault } from './gate-accounts.ts';
import { metricsLines } from './metrics.ts';
import { nodeLogLines } from './node-logs.ts';
import { startedAt, type ProcessMark } from './process.ts';
import { serviceRows } from './service-rows.ts';
import { wallLines } from './walls.ts';

export const status = defineCommand({
  path: 'status',
  summary: 'Show what runs: control, fabric, machines, doors, rings.',
  examples: ['status', 'status -o json'],
  options: {},
  async run(cx) {
    const processes = { control: await controlProcess(cx.home), fabric: await fabricProcess(cx.home) };
    // The whole picture is the provider's.
    const picture = processes.control
      ? await (await cx.arm(cx.globals.as === undefined ? 'provider' : undefined)).get('/sallyport/status')
      : undefined;
    const value = { running: processes, ...picture };
    return {
      value,
      rows: rowsOf(picture, 'machines'),
      columns: machineColumns,
      human: render(cx, processes, picture),
      exitCode: processes.control && processes.fabric ? 0 : 1,
    };
  },
});

const machineColumns = {
  Machine: 'hostname',
  Kind: 'kind',
  Address: 'address',
  State: 'state',
};

type Row = Readonly<Record<string, unknown>>;
const rowsOf = (picture: JsonObject | undefined, key: string): readonly Row[] =>
  (picture?.[key] ?? []) as unknown as readonly Row[];
const text = (value: unknown): string => (value === null || value === undefined ? '-' : String(value));
const lastName = (id: unknown): string => text(id).split('/').at(-1)!;

function render(
  cx: CliContext,
  processes: Readonly<Record<string, ProcessMark | undefined>>,
  picture: JsonObject | undefined,
): string {
  const parts: string[] = [];
  for (const [name, mark] of Object.entries(processes)) {
    const since = mark && `process ${mark.pid}, for ${duration(cx.clock.now() - startedAt(mark))}`;
    parts.push(
      `${name.padEnd(8)} ${since ?? 'does not run'}${name === 'control' && picture ? `, ${text(picture['endpoint'])}` : ''}`,
    );
  }
  const heard = picture?.['fabric'] as Row | undefined;
  if (heard)
    parts.push(
      `intent   ${heard['heardAt'] === null ? 'the fabric has not reported yet' : heard['upToDate'] ? 'applied' : 'being applied'}`,
    );
  table('Machine', rowsOf(picture, 'machines'), ['Kind', 'Network', 'Address', 'State'], (row) => [
    text(row['hostname']),
    text(row['kind']),
    lastName(networkLabel(row['network'])),
    text(row['address']),
    text(row['state']),
  ]);
  table('Door', rowsOf(picture, 'links'), ['Address', 'Port', 'State'], (row) => {
    const consumer = row['consumer'] as Row | undefined;
    return [
      lastName(row['label']),
      text(consumer?.['address']),
      `udp ${text(row['port'])}`,
      text(row['state']),
    ];
  });
  const dataCenters = rowsOf(picture, 'operators').flatMap((operator) =>
    ((operator['dataCenters'] ?? []) as readonly Row[]).map((each): Row => ({
      ...each,
      cluster: operator['cluster'],
    })),
  );
  table('Ring', dataCenters, ['Data centre', 'Phase', 'Waiting for'], (row) => [
    lastName(row['cluster']),
    text(row['name']),
    text(row['phase']),
    text(row['waitingFor']),
  ]);
  parts.push(
    ...wallLines(picture?.['walls'] as WallsReport | null | undefined, cx.clock.now()).map((line) =>
      wrap(line, cx.width, '  '),
    ),
  );
  const accounts = accountRows(picture);
  table(
    'Account',
    accounts as unknown as readonly Row[],
    ['Cluster', 'State', 'Service', 'Sent', 'Received'],
    (row) => ['account', 'cluster', 'state', 'service', 'sent', 'received'].map((name) => text(row[name])),
  );
  const faults = [gateFault(picture), ...accounts.map(({ why }) => why)].filter((why) => why !== undefined);
  for (const fault of new Set(faults)) parts.push(wrap(`gate: ${fault}`, cx.width, '  '));
  for (const line of nodeLogLines(picture, cx.clock.now())) parts.push(wrap(line, cx.width, '  '));
  for (const line of metricsLines(picture, cx.clock.now())) parts.push(wrap(line, cx.width, '  '));
  const services = serviceRows(picture);
  table('Service', services as unknown as readonly Row[], ['Address', 'Answers'], (row) =>
    ['service', 'address', 'answers'].map((name) => text(row[name])),
  );
  for (const { service, why } of services)
    if (why !== undefined) parts.push(wrap(`${service}: ${why}`, cx.width, '  '));
  for (const limit of (picture?.['limits'] ?? []) as readonly string[])
    parts.push(wrap(`limit: ${limit}`, cx.width, '  '));
  if (!processes['control'] || !processes['fabric']) parts.push('', 'Next: sallyport up');
  return parts.join('\n');

  function networkLabel(id: unknown): unknown {
    return rowsOf(picture, 'networks').find((network) => network['id'] === id)?.['label'] ?? id;
  }
  function table(
    first: string,
    rows: readonly Row[],
    rest: readonly string[],
    cells: (row: Row) => readonly string[],
  ): void {
    if (rows.length > 0) parts.push('', renderTable([first, ...rest], rows.map(cells), cx.width));
  }
}
