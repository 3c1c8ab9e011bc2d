import { search } from '@jmespath-community/jmespath';
import { UsageError } from '../errors.ts';
import { renderTable } from './table.ts';

type Columns = Readonly<Record<string, string>>;

/** Applies --query. A result of nothing prints nothing, as with az. */
export function applyQuery(value: unknown, query: string): unknown {
  try {
    return search(value as Parameters<typeof search>[0], query);
  } catch (error) {
    throw new UsageError(
      `--query is no JMESPath expression: ${(error as Error).message}`,
      'See https://jmespath.org, and quote the expression for the shell.',
    );
  }
}

/** The output as az writes it; ends without a newline, empty where there is nothing to print. */
export async function format(value: unknown, form: string, columns?: Columns): Promise<string> {
  if (value === undefined || value === null) return '';
  if (form === 'tsv') return tsv(value);
  if (form === 'table') return table(value, columns);
  if (form === 'yaml') {
    const { stringify } = await import('yaml');
    return stringify(sorted(value)).trimEnd();
  }
  const json = JSON.stringify(sorted(value), null, 2);
  return form === 'jsonc' ? colour(json) : json;
}

/** az sorts keys, so that output can be compared. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** az's rules: a list in a row becomes its length, an object nothing, and an object's row is sorted by key. */
function tsv(value: unknown): string {
  const rows = Array.isArray(value) ? value : [value];
  return rows
    .map((row: unknown) => {
      if (row === null || typeof row !== 'object')
        return typeof row === 'string' || typeof row === 'boolean' ? String(row) : cell(row);
      const cells: unknown[] = Array.isArray(row) ? row : Object.values(sorted(row) as object);
      return cells.map(cell).join('\t');
    })
    .join('\n');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return String(value.length);
  if (typeof value === 'object') return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value).replace(/[\t\n]/g, ' ');
}

function table(value: unknown, columns?: Columns): string {
  const rows: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (rows.length === 0) return '';
  if (columns) {
    const headers = Object.keys(columns);
    return renderTable(
      headers,
      rows.map((row) => headers.map((header) => plain(applyQuery(row, columns[header]!)))),
    );
  }
  if (rows.every((row) => row === null || typeof row !== 'object'))
    return renderTable(
      ['Result'],
      rows.map((row) => [plain(row)]),
    );
  if (rows.every((row) => Array.isArray(row))) {
    const longest = Math.max(...rows.map((row) => (row as unknown[]).length));
    const headers = Array.from({ length: longest }, (_, index) => `Column${index + 1}`);
    return renderTable(
      headers,
      rows.map((row) => headers.map((_, index) => plain((row as unknown[])[index]))),
    );
  }
  const keys = [...new Set(rows.flatMap((row) => simpleKeys(row as object)))];
  return renderTable(
    keys.map((key) => key[0]!.toUpperCase() + key.slice(1)),
    rows.map((row) => keys.map((key) => plain((row as Record<string, unknown>)[key]))),
  );
}

const hidden = new Set(['id', 'type', 'etag']);
const simpleKeys = (row: object): readonly string[] =>
  Object.entries(row)
    .filter(([key, value]) => !hidden.has(key) && value !== null && typeof value !== 'object')
    .map(([key]) => key);

const plain = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

const colour = (json: string): string =>
  json
    .replace(/^( *)("(?:[^"\\]|\\.)*")(:)/gm, '$1\u001b[34m$2\u001b[0m$3')
    .replace(/: ("(?:[^"\\]|\\.)*")/g, ': \u001b[32m$1\u001b[0m');
