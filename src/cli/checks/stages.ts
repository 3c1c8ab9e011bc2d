/** Which files of tests run when. Pure. */
import type { Plan, Stage } from './runner.ts';

/** They start no machine, measure no time and give up on nothing for minutes. */
export const patient: readonly string[] = [
  'test/contract/contract.test.ts',
  'test/contract/fuzz.test.ts',
  'test/contract/validate.test.ts',
  'test/network/truth-model.test.ts',
];

/**
 * One end with the counts of all. Files of src/ share the two cores; each of test/ owns a whole stack and its memory, and
 * comes after, one at a time. What is patient takes what these leave of the cores: Cassandra's starts are mostly waiting.
 */
export function stagesOf(
  checks: readonly string[],
  unit: readonly string[],
  whole: readonly string[],
): Pick<Plan, 'stages' | 'beside'> {
  const some = (stages: readonly Stage[]): readonly Stage[] => stages.filter(({ files }) => files.length > 0);
  return {
    stages: some([
      { name: 'src', files: unit, concurrency: 2 },
      { name: 'test', files: whole.filter((file) => !patient.includes(file)), concurrency: 1 },
    ]),
    beside: some([
      { name: 'checks', files: checks, concurrency: 1 },
      { name: 'patient', files: whole.filter((file) => patient.includes(file)), concurrency: 1 },
    ]),
  };
}
