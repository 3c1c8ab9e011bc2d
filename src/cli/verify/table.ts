import type { VerifyResult } from '../../fabric/verify/result.ts';
import { renderTable } from '../output/table.ts';
import { wrap } from '../output/wrap.ts';

/**
 * What was tried, in how many places, and what stopped it: one line for each means and wall. Whatever was not stopped is
 * listed by itself, with what the recorders say.
 */
export function renderVerify(result: VerifyResult, width: number): string {
  const lines = new Map<string, { what: string; rules: string; stoppedBy: string; count: number }>();
  for (const each of result.tries) {
    if (each.outcome !== 'stopped') continue;
    const key = [each.what, each.rules, each.wall].join('\n');
    const line = lines.get(key) ?? {
      what: each.what,
      rules: each.rules,
      stoppedBy: each.wall ?? '',
      count: 0,
    };
    line.count++;
    lines.set(key, line);
  }
  const rows = [...lines.values()].map((line) => [line.what, line.rules, String(line.count), line.stoppedBy]);
  const parts =
    rows.length > 0
      ? [renderTable(['What was tried', "Node's rules", 'Tries', 'Stopped by'], rows, width), '']
      : [];
  for (const each of result.tries.filter(({ outcome }) => outcome !== 'stopped')) {
    const where = `${each.outcome.toUpperCase()}: ${each.what} towards ${each.towards}, from ${each.machine} as ${each.as}, rules ${each.rules}: ${each.evidence}`;
    parts.push(wrap(where, width, '  '));
  }
  for (const control of result.controls.filter(({ seen }) => !seen)) {
    parts.push(wrap(`NOT SEEN: ${control.what} from ${control.from}: ${control.evidence}`, width, '  '));
  }
  return [...parts, ...result.summary.map((line) => wrap(line, width, '  '))].join('\n');
}
