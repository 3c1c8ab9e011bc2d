import { TimeoutError, until } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { ArmClient } from '../arm/client.ts';
import type { Progress } from '../output/progress.ts';

/** The part of `GET /sallyport/status` that says what serves. */
export interface Picture {
  /** ISO 8601: when it was made. */
  readonly time: string;
  readonly fabric: { readonly upToDate: boolean };
  readonly machines: readonly {
    readonly kind: string;
    readonly hostname: string;
    readonly state: string;
    readonly error: { readonly message: string } | null;
  }[];
  readonly operators: readonly {
    readonly cluster: string | null;
    readonly heardAt: string;
    readonly dataCenters: readonly {
      readonly name: string;
      readonly phase: string;
      readonly waitingFor: string | null;
    }[];
    readonly nodes: readonly {
      readonly dataCenter: string;
      readonly phase: string;
      readonly report: {
        readonly cassandra: { readonly mode: string | null; readonly nativeTransport: boolean };
      } | null;
    }[];
  }[];
}

export interface Serving {
  /** What is still waited for, in words; null: everything that should serve does. */
  readonly waitingFor: string | null;
  /** Data centres that serve. */
  readonly ready: readonly string[];
  /** Data centres that are still being made, and what each waits for: whoever asked for one is told there. */
  readonly making: readonly string[];
}

/** An operator reports every few seconds: an older word is from before the start. */
const freshMs = 15_000;

/** Whether every data centre that was ready once serves CQL again. Pure. */
export function servingOf(picture: Picture): Serving {
  const none = { ready: [], making: [] };
  if (!picture.fabric.upToDate) return { ...none, waitingFor: 'the fabric takes up what shall be' };
  const broken = picture.machines.find(({ state }) => state !== 'running');
  if (broken) {
    const why = broken.error ? `: ${broken.error.message}` : '';
    return { ...none, waitingFor: `machine ${broken.hostname} is ${broken.state}${why}` };
  }
  const now = Date.parse(picture.time);
  const heard = picture.operators.filter(
    ({ cluster, heardAt }) => cluster !== null && now - Date.parse(heardAt) < freshMs,
  );
  const operators = picture.machines.filter(({ kind }) => kind === 'operator').length;
  if (heard.length < operators)
    return { ...none, waitingFor: `${heard.length} of ${operators} operators report` };

  const states = heard.flatMap(({ cluster, dataCenters, nodes }) =>
    dataCenters.map(({ name, phase, waitingFor }) => {
      const mine = nodes.filter(({ dataCenter }) => dataCenter === name);
      const up = mine.filter(
        (node) =>
          node.phase === 'connected' &&
          node.report?.cassandra.mode === 'NORMAL' &&
          node.report.cassandra.nativeTransport,
      );
      const label = `${cluster!.split('/').at(-1)}/${name}`;
      return { label, phase, waitingFor, nodes: mine.length, up: up.length };
    }),
  );
  const once = states.filter(({ phase }) => phase === 'ready');
  const late = once.find(({ up, nodes }) => up < nodes);
  return {
    waitingFor: late ? `${late.up} of ${late.nodes} nodes of data centre ${late.label} serve` : null,
    ready: once.map(({ label }) => label),
    making: states
      .filter(({ phase }) => phase !== 'ready')
      .map(({ label, phase, waitingFor }) => `${label}: ${waitingFor ?? phase}`),
  };
}

/** Machines start, Cassandra comes up and opens CQL; on a slow machine that takes a minute. */
const timeoutMs = 300_000;

/** Waits until what should serve does, and says for what. `provider`: the picture is the provider's to see. */
export async function waitUntilServing(provider: ArmClient, progress: Progress): Promise<Serving> {
  let missing = '';
  const look = async (): Promise<Serving | undefined> => {
    const serving = servingOf((await provider.get('/sallyport/status')) as unknown as Picture);
    if (serving.waitingFor === null) return serving;
    missing = serving.waitingFor;
    progress.show(missing);
    return undefined;
  };
  try {
    const { clock, signal } = provider;
    return await until('the rings', look, { timeoutMs, everyMs: 500, clock, signal });
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw new UserError(
      'NotServing',
      `Everything was started, but after ${timeoutMs / 1000} s this is still so: ${missing}.`,
      'sallyport status shows what runs, and sallyport logs what was said',
      error,
    );
  }
}
