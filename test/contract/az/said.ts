import type { Said } from '../clients/run.ts';
import type { ClientRun } from '../inside.ts';
import { around, operationOf, preview } from '../model.ts';
import type { Answered } from './inside.ts';

/**
 * The run of az in the form of the SDKs' runs: az names no operation, so what went over the wire tells. An operation is as
 * good as the commands that needed it.
 */
export const runOf = (answers: readonly Answered[]): ClientRun => ({
  client: 'az',
  exitCode: 0,
  stderr: '',
  said: answers.flatMap(saidOf),
  exchanges: answers.flatMap(({ exchanges }) => exchanges),
});

function saidOf({ exchanges, wrong, line, exitCode }: Answered): readonly Said[] {
  const operations = new Set(
    exchanges
      .filter(({ response }) => !isNotYet(response))
      .map(
        ({ method, path }) => (operationOf(preview, method, path) ?? operationOf(around, method, path))?.id,
      )
      .filter((operation) => operation !== undefined),
  );
  return [...operations].map((operation) =>
    wrong === null
      ? { operation, outcome: 'ok' }
      : {
          operation,
          code: /^ERROR: \((\w+)\)/m.exec(wrong)?.[1] ?? `exit ${exitCode}`,
          message: `az ${line}: ${wrong}`,
        },
  );
}

/** Such a refusal is right, and says nothing of how the operation is answered. */
const isNotYet = (response: unknown): boolean =>
  (response as { error?: { code?: string } } | undefined)?.error?.code === 'NotYetSupported';
