import type { MachineReport } from '../../exchange/intents/fabric.ts';
import { serviceKinds } from '../../exchange/intents/service.ts';
import type { JsonObject } from '../../store/resource.ts';

/** A service in a machine of its own, as `status` shows it. */
export interface ServiceRow {
  readonly service: string;
  readonly address: string;
  readonly answers: 'yes' | 'no';
  /** Why it doesn't; undefined: it does. */
  readonly why: string | undefined;
}

type Machine = Pick<MachineReport, 'state' | 'service'> & {
  readonly kind: string;
  readonly address: string;
  readonly error: { readonly message: string } | null;
};

/** Nothing where no service was asked for. */
export function serviceRows(picture: JsonObject | undefined): readonly ServiceRow[] {
  const machines = (picture?.['machines'] ?? []) as unknown as readonly Machine[];
  return machines
    .filter(({ kind }) => serviceKinds.some((service) => service === kind))
    .map(({ kind, address, state, service, error }) => {
      if (state === 'running' && service?.answers) return row('yes', undefined);
      const said = state === 'running' ? service?.error : error?.message;
      return row('no', said ?? `Its machine is ${state}.`);

      function row(answers: ServiceRow['answers'], why: string | undefined): ServiceRow {
        return { service: kind, address, answers, why };
      }
    });
}
