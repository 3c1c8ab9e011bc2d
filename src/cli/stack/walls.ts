import type { WallsReport } from '../../exchange/intents/fabric.ts';
import { duration } from './duration.ts';

/** What packets found that try the walls every few minutes. What stands open comes first. */
export function wallLines(walls: WallsReport | null | undefined, now: number): readonly string[] {
  if (!walls?.last) return [];
  const { last, findings, putBack } = walls;
  const ago = (at: string): string => `${duration(now - Date.parse(at))} ago`;
  const flow = ({ from, to, protocol, port }: WallsReport['findings'][number]): string =>
    `${from} → ${to} ${protocol}${port === 0 ? '' : ` ${port}`}`;
  const named = findings.map((finding) => {
    const open = finding.stands ? 'A WALL IS OPEN' : 'a wall was open';
    const what = finding.outcome === 'opened' ? open : 'a wall stops too much';
    const still = finding.stands ? '' : '; after a pass of the fabric it was so no more';
    return {
      stands: finding.stands,
      line: `${what}: ${flow(finding)}, ${ago(finding.at)}: ${finding.text}${still}`,
    };
  });
  const unproved = last.unproved > 0 ? `, ${last.unproved} prove nothing` : '';
  return [
    '',
    ...named.filter(({ stands }) => stands).map(({ line }) => line),
    `walls: tried with ${last.tried} packets ${ago(last.at)}, ${last.agreed} did what is asked for${unproved}`,
    ...named.filter(({ stands }) => !stands).map(({ line }) => line),
    ...putBack.map(
      ({ at, where, what }) =>
        `put back: table ${what} of ${where} had been changed by somebody else, ${ago(at)}`,
    ),
  ];
}
