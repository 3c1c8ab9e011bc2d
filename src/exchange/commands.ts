import type { CommandReport } from './intents/node.ts';

/** Characters of JSON that commands may take of one report; the exchange carries 4 MiB in all. */
export const commandShare = 2_500_000;

/**
 * As many whole results as fit, in order, at least one; those after them are still `running` to whoever listens, until a
 * result that was taken has made room.
 */
export function withinReport(
  reports: Readonly<Record<string, CommandReport>>,
  share: number = commandShare,
): Record<string, CommandReport> {
  let left = share;
  let first = true;
  return Object.fromEntries(
    Object.entries(reports).map(([id, report]) => {
      const size = JSON.stringify(report).length;
      const fits = first || size <= left;
      first = false;
      if (!fits)
        return [
          id,
          { ...report, state: 'running', output: '', errorOutput: '', exitCode: null, error: null },
        ];
      left -= size;
      return [id, report];
    }),
  );
}
