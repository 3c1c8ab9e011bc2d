import { beyond, habits } from './beyond.ts';
import { clientNames, clients, type ClientName } from './clients/clients.ts';
import type { Said } from './clients/run.ts';
import type { ClientRun } from './inside.ts';
import { around, preview } from './model.ts';

/** Of each operation, what each client got; absent: the client has no such operation. */
export type Coverage = ReadonlyMap<string, Readonly<Partial<Record<ClientName, Said>>>>;

/** An operation asked for several times is only as good as its worst answer. */
export function coverageOf(runs: readonly ClientRun[]): Coverage {
  const found = new Map<string, Partial<Record<ClientName, Said>>>();
  for (const { id } of preview.operations) found.set(id, {});
  for (const { client, said } of runs) {
    for (const one of said) {
      const row = found.get(one.operation) ?? {};
      const before = row[client];
      if (!before || before.outcome === 'ok') row[client] = one;
      found.set(one.operation, row);
    }
  }
  return found;
}

/** Operations that some client could not use, or none tried. */
export const gapsIn = (coverage: Coverage): readonly string[] =>
  [...coverage]
    .filter(([, row]) => {
      const said = Object.values(row);
      return said.length === 0 || said.some(({ outcome }) => outcome !== 'ok');
    })
    .map(([operation]) => operation)
    .sort();

/** docs/reference/coverage.md. */
export function pageOf(coverage: Coverage): string {
  const rows = [...coverage];
  const cassandra = rows.filter(([operation]) => operation.startsWith('Cassandra'));
  const network = rows.filter(([operation]) => networkOperations.has(operation));
  const rest = rows.filter((row) => !cassandra.includes(row) && !network.includes(row));
  return `${[
    '# Coverage',
    '',
    'What unmodified clients get from this API, operation by operation. `test/contract/` writes this page: it runs the whole how-to with each',
    'client, over HTTPS, in a network namespace that has nothing but loopback, and holds every answer against the public specification. An',
    'operation is there when everything that a client asked of it was answered as it expects. The levels below control are played there.',
    'The how-to alone each of them goes with a real ring too, from create to delete.',
    '',
    ...clientNames.map((name) => `- ${clients[name].title}: ${clients[name].packages}`),
    '',
    'A dash: the client has no such operation, or does not use it in the how-to. az is seen by what it sends: a command of it asks for several',
    'operations.',
    '',
    '## Microsoft.DocumentDB/cassandraClusters',
    '',
    ...table(cassandra),
    '',
    '## Microsoft.Network',
    '',
    ...table(network),
    '',
    '## Around them',
    '',
    'Resource Manager, Authorization, Compute and Insights: what az asks for on the way. The SDKs of the how-to have no such operations.',
    '',
    ...table(rest),
    '',
    '## Properties that the specification does not have',
    '',
    '| model | property | why |',
    '|---|---|---|',
    ...Object.entries(beyond).flatMap(([model, properties]) =>
      Object.entries(properties).map(([name, why]) => `| ${model} | \`${name}\` | ${why} |`),
    ),
    '',
    '## What clients send beside the specification',
    '',
    '| client | what |',
    '|---|---|',
    ...habits.map(({ client, what }) => `| ${clients[client].title} | ${what} |`),
  ].join('\n')}\n`;
}

const networkOperations: ReadonlySet<string> = new Set(
  around.operations.filter(({ path }) => path.includes('/Microsoft.Network/')).map(({ id }) => id),
);

const table = (rows: readonly (readonly [string, Readonly<Partial<Record<ClientName, Said>>>])[]) => [
  `| operation | ${clientNames.map((name) => clients[name].title).join(' | ')} |`,
  `|---|${clientNames.map(() => '---|').join('')}`,
  ...rows
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([operation, row]) => `| ${operation} | ${clientNames.map((name) => cell(row[name])).join(' | ')} |`,
    ),
];

const cell = (said: Said | undefined): string => {
  if (!said) return '–';
  return said.outcome === 'ok' ? 'yes' : `not yet (${said.status || ''} ${said.code})`.replace('( ', '(');
};
