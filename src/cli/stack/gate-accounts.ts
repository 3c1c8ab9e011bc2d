import type { GateReport } from '../../exchange/intents/gate.ts';
import type { JsonObject } from '../../store/resource.ts';

/** An account behind the gate, as `status` shows it. */
export interface AccountRow {
  readonly account: string;
  /** The last part of its cluster's id. */
  readonly cluster: string;
  readonly state: string;
  readonly service: string;
  readonly sent: number;
  readonly received: number;
  /** What is wrong with it; undefined: nothing. */
  readonly why: string | undefined;
}

type Operator = { readonly identity: string; readonly cluster: string | null };

/** Nothing where there is no gate, or it has not reported. */
export function accountRows(picture: JsonObject | undefined): readonly AccountRow[] {
  const gate = picture?.['gate'] as unknown as Partial<GateReport> | null | undefined;
  const operators = (picture?.['operators'] ?? []) as unknown as readonly Operator[];
  return Object.entries(gate?.clusters ?? {}).flatMap(([identity, cluster]) => {
    const id = operators.find((operator) => operator.identity === identity)?.cluster;
    return Object.entries(cluster.accounts).map(([account, said]) => ({
      ...{ account, cluster: id?.split('/').at(-1) ?? identity },
      ...{ state: said.state, service: said.upstream ?? '-', sent: said.sent, received: said.received },
      why: (said.error ?? cluster.error)?.message,
    }));
  });
}

/** What keeps the gate as a whole from doing as it is told; undefined: nothing does, or there is none. */
export function gateFault(picture: JsonObject | undefined): string | undefined {
  const gate = picture?.['gate'] as unknown as Partial<GateReport> | null | undefined;
  return gate?.error?.message;
}
