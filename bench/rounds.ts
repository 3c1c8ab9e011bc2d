/**
 * Benchmarks run ours and a bare baseline in turn, in one run, and quote the median of the pairs' ratios: the machines are
 * shared and noisy, and a pair drifts together. Nothing here judges in a test; a bound that is missed is printed as such.
 */
import { loadavg } from 'node:os';

export interface Pair {
  readonly ours: number;
  readonly bare: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
};

/** Runs `rounds` pairs, swapping who goes first, so that a drift of the machine favours neither. */
export async function interleaveOf<T>(
  rounds: number,
  ours: (round: number) => Promise<T>,
  bare: (round: number) => Promise<T>,
  show: (value: T) => string,
): Promise<readonly { readonly ours: T; readonly bare: T }[]> {
  const pairs: { readonly ours: T; readonly bare: T }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await ours(round);
      pairs.push({ ours: first, bare: await bare(round) });
    } else {
      const first = await bare(round);
      pairs.push({ ours: await ours(round), bare: first });
    }
    const last = pairs.at(-1)!;
    process.stderr.write(
      `round ${round + 1}/${rounds}: ours ${show(last.ours)}, bare ${show(last.bare)}, load ${loadavg()[0]!.toFixed(2)}\n`,
    );
  }
  return pairs;
}

export const interleave = (
  rounds: number,
  ours: (round: number) => Promise<number>,
  bare: (round: number) => Promise<number>,
): Promise<readonly Pair[]> => interleaveOf(rounds, ours, bare, (value) => value.toPrecision(4));

/** A figure without a baseline: it is held against its bound as it stands. */
export function reportAbsolute(figure: {
  readonly name: string;
  readonly unit: string;
  readonly goal: string;
  readonly values: readonly number[];
  /** Where it comes from, for who reads on. */
  readonly parts?: unknown;
}): void {
  const { name, unit, goal, values, parts } = figure;
  process.stdout.write(
    `${JSON.stringify({
      bench: name,
      unit,
      goal,
      rounds: values.length,
      median: round(median(values)),
      min: round(Math.min(...values)),
      max: round(Math.max(...values)),
      ...(parts !== undefined && { parts }),
    })}\n`,
  );
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly goal: string;
  readonly pairs: readonly Pair[];
}

/** One JSON line, for people and machines alike. */
export function report(figure: Figure): void {
  const ratios = figure.pairs.map((pair) => pair.ours / pair.bare);
  process.stdout.write(
    `${JSON.stringify({
      bench: figure.name,
      unit: figure.unit,
      goal: figure.goal,
      rounds: figure.pairs.length,
      ours: round(median(figure.pairs.map((pair) => pair.ours))),
      bare: round(median(figure.pairs.map((pair) => pair.bare))),
      ratio: round(median(ratios)),
      ratioMin: round(Math.min(...ratios)),
      ratioMax: round(Math.max(...ratios)),
    })}\n`,
  );
}

const round = (value: number): number => Number(value.toPrecision(4));
