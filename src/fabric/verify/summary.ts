import { walls, type VerifyResult } from './result.ts';

type Said = Omit<VerifyResult, 'summary'>;

/** The result in three lines: the verdict, what stopped the tries, what shows that they could have been seen. */
export function summarise(
  result: Said,
  operators: number,
  /** How many of the operators have a way to accounts. */
  gated: number,
): readonly [string, string, string] {
  const controls = `${controlsLine(result)} ${gateLine(operators, gated)}`.trimEnd();
  return [verdictLine(result, operators), wallsLine(result), controls];
}

function gateLine(operators: number, gated: number): string {
  if (operators === gated) return '';
  if (gated === 0) return 'Nothing was tried by the gate: policies name no account for these nodes.';
  return `Nothing was tried by the gate for ${operators - gated} of ${operators} operators: policies name no account for them.`;
}

function verdictLine({ verdict, tries, machines }: Said, operators: number): string {
  const nodes = machines.length - operators;
  const behind =
    operators === 0 ? '' : operators === 1 ? ' and their operator' : ` and ${operators} operators`;
  const from = `from ${nodes} ${nodes === 1 ? 'node' : 'nodes'}${behind}`;
  const leaked = tries.filter((t) => t.outcome === 'leaked');
  const open = tries.filter((t) => t.outcome === 'not proved');
  if (verdict === 'leak') {
    const first = leaked[0];
    return `LEAK: ${leaked.length} of ${tries.length} tries ${from} got out, the first by ${first?.what} to ${first?.towards} (${first?.evidence}).`;
  }
  if (verdict === 'proved')
    return `Proved: ${tries.length} tries to get out ${from}, none did but by the door.`;
  return `Not proved: of ${tries.length} tries ${from} none was seen to get out, but ${open.length} can't be judged.`;
}

function wallsLine({ tries }: Said): string {
  const counts = walls
    .map((wall) => [wall, tries.filter((t) => t.wall === wall).length] as const)
    .filter(([, n]) => n > 0);
  const flushed = tries.filter((t) => t.rules === 'flushed').length;
  if (counts.length === 0) return 'Nothing was stopped.';
  return `Stopped by ${counts.map(([wall, n]) => `${wall} ${n}`).join(', ')}; ${flushed} of the tries with the machine's own rules flushed.`;
}

function controlsLine({ controls }: Said): string {
  const missed = controls.filter((c) => !c.seen);
  const first = missed[0];
  if (first)
    return `Controls: ${missed.length} of ${controls.length} not seen, the first: ${first.what} from ${first.from} (${first.evidence}).`;
  const of = (kind: string): number => controls.filter((c) => c.kind === kind).length;
  return `Controls: all ${controls.length} seen (${of('protocol')} means from the application machine, ${of('recorder')} recorders, ${of('allowed')} allowed flows, ${of('rules')} on the rules).`;
}
