/** The tables of docs/reference, made from the properties themselves. `node src/kinds/reference.ts` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { clusterProperties, otherClusterProperties } from './cassandra-cluster/properties.ts';
import { nodetoolReads } from '../exchange/nodetool.ts';
import { commandLists, otherCommands } from './cassandra-command/nodetool.ts';
import { dataCenterProperties, otherDataCenterProperties } from './cassandra-data-center/properties.ts';
import { referenceRows } from './property.ts';

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

const commandRows = (): string =>
  [
    '| nodetool | options | words after it, at most |',
    '|---|---|---|',
    ...Object.entries(nodetoolReads).map(
      ([name, { flags = [], values = [], plain = 0 }]) =>
        `| \`${name}\` | ${code([...flags, ...values.map((option) => `${option} …`)]) || '–'} | ${plain} |`,
    ),
    '',
    `With a later version (\`NotYetSupported\`): nodetool ${commandLists.later.join(', ')}; ${otherCommands.join(', ')}.`,
    '',
    'Never (`CommandNotAllowed`):',
    '',
    ...Object.entries(commandLists.never).map(([name, why]) => `- nodetool ${name}: ${why}.`),
  ].join('\n');

/** Page → what stands between its marks. */
export const madePages: Readonly<Record<string, () => string>> = {
  'cassandra-cluster': () => referenceRows(clusterProperties, otherClusterProperties),
  'cassandra-data-center': () => referenceRows(dataCenterProperties, otherDataCenterProperties),
  'cassandra-command': commandRows,
};

const marks = /(<!-- made by src\/kinds\/reference\.ts -->\n)[^]*?(\n<!-- end -->)/;
const pathOf = (page: string): URL => new URL(`../../docs/reference/${page}.md`, import.meta.url);

export const readPage = (page: string): string => readFileSync(pathOf(page), 'utf8');

/** The page as it should be. */
export const madePage = (page: string): string =>
  readPage(page).replace(marks, (_, begin: string, end: string) => `${begin}${madePages[page]!()}${end}`);

if (import.meta.main) for (const page of Object.keys(madePages)) writeFileSync(pathOf(page), madePage(page));
