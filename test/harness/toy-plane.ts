import type { AnyKind, Kind } from '../../src/arm/kind.ts';
import { ArmError } from '../../src/arm/errors.ts';
import type { FabricIntent } from '../../src/exchange/intents/fabric.ts';
import type { OperatorIntent } from '../../src/exchange/intents/operator.ts';
import { revise, type Revised } from '../../src/exchange/revision.ts';
import type { Store } from '../../src/store/resource.ts';
import type { Plane } from '../../src/server/control.ts';

/** Kinds that mean nothing, to try what knows no kind. It is for tests only. */
interface Sized {
  readonly size: number;
}

const sized = (
  type: string,
  operations: Kind['operations'],
  more: Partial<Kind<Sized, object>> = {},
): Kind<Sized, object> => ({
  type,
  summary: 'A toy.',
  name: { pattern: /^[a-z0-9-]{1,20}$/i, rule: '1 to 20 letters, digits and hyphens.' },
  tracked: true,
  operations,
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],
  accept(request, existing, context) {
    const size = Number(request.properties['size'] ?? existing?.properties.size ?? 1);
    if (!Number.isInteger(size) || size < 1)
      throw new ArmError('InvalidParameter', 'The size must be a whole number from 1 on.', {
        target: 'properties.size',
      });
    if (request.properties['secret'] !== undefined)
      context.store.secrets.set(`toy/${request.id.name}`, JSON.stringify(request.properties['secret']));
    return {
      properties: { size },
      state: existing?.state ?? {},
      unchanged: existing?.properties.size === size,
    };
  },
  show: (resource) => ({ size: resource.properties.size }),
  ...more,
});

/** Questions whose better answer is the test's to give. */
export const surveys: ((length: number) => void)[] = [];

export const toyKinds: readonly AnyKind[] = [
  sized('Toy.Box/boxes', 'documentdb', {
    beforeDelete(resource, { store }) {
      const lids = store.list('Toy.Box/boxes/lids', resource.id);
      if (lids.length > 0)
        throw new ArmError('InUse', `The box has lids: ${lids.map((lid) => lid.name).join(', ')}.`);
    },
    actions: {
      weigh: {
        method: 'GET',
        actionName: 'Toy.Box/boxes/weigh/action',
        run: (resource) => ({ weight: resource.properties.size }),
      },
      shake: {
        method: 'POST',
        actionName: 'Toy.Box/boxes/shake/action',
        run: (_resource, body) => ({ shaken: body ?? null }),
      },
    },
  }),
  sized('Toy.Box/boxes/lids', 'documentdb', { tracked: false }),
  sized('Toy.Net/wires', 'network', {
    actions: {
      measure: {
        method: 'POST',
        actionName: 'Toy.Net/wires/measure/action',
        later: true,
        run: (resource) => ({ length: resource.properties.size }),
      },
      survey: {
        method: 'POST',
        actionName: 'Toy.Net/wires/survey/action',
        ask: (resource) => ({
          answer: { length: resource.properties.size, surveyed: false },
          confirm: (better) => void surveys.push((length) => better({ length, surveyed: true })),
        }),
      },
    },
  }),
  sized('Toy.Net/labels', 'network', {
    deletesAtOnce: true,
    accept: (request) => ({
      properties: { size: Number(request.properties['size'] ?? 1) },
      state: {},
      settled: true,
    }),
  }),
  sized('Toy.Net/fixed', 'network', {
    verbs: ['GET'],
    locationLists: {
      lengths: {
        actionName: 'Toy.Net/locations/lengths/read',
        list: ({ location }) => [{ name: location }],
      },
    },
  }),
];

export interface ToyWorld {
  /** Whether what is asked for becomes so at once; else by `finish`. */
  ready: boolean;
  store: Store | undefined;
  finish(verdict?: Parameters<Store['settle']>[2]): void;
  readonly operators: Map<string, string>;
  fabric: FabricIntent;
  readonly wakes: string[];
}

export function toyPlane(): { readonly plane: Plane; readonly world: ToyWorld } {
  const world: ToyWorld = {
    ready: true,
    store: undefined,
    operators: new Map(),
    fabric: { networks: [], machines: [], links: [], work: [] },
    wakes: [],
    finish(verdict = { at: 'Succeeded' }) {
      const { store } = world;
      for (const kind of toyKinds) {
        for (const one of store?.list(kind.type) ?? []) {
          if (one.provisioningState === 'Deleting') store?.remove(one.id);
          else if (one.provisioningState !== 'Succeeded') store?.settle(one.id, one.generation, verdict);
        }
      }
    },
  };
  const operatorIntent = (identity: string): Revised<OperatorIntent> | undefined => {
    if (![...world.operators.values()].includes(identity)) return undefined;
    const names = { id: '/subscriptions/s/toy', identity, cassandraName: 'toy', ulaPrefix: 'fd00:1:2::/48' };
    const access = {
      authentication: 'None' as const,
      adminPasswordHash: null,
      serviceRole: 'r',
      servicePassword: 'p',
    };
    return revise({ cluster: { ...names, ...access }, dataCenters: [] });
  };
  const plane: Plane = {
    kinds: toyKinds,
    start({ store, work }) {
      world.store = store;
      return {
        fabricIntent: () => revise({ ...world.fabric, work: [...work()] }),
        operatorIntent,
        onFabricReport: () => undefined,
        onOperatorReport: () => undefined,
        admitOperator: async (_cluster, token) => {
          const identity = world.operators.get(token);
          world.operators.delete(token);
          if (identity === undefined)
            return { code: 'TokenRefused', message: 'The token is spent or was never good.' };
          world.operators.set('enrolled', identity);
          return identity;
        },
        wake(reason) {
          world.wakes.push(reason);
          if (world.ready) world.finish();
        },
        onIntentChange: () => undefined,
      };
    },
  };
  return { plane, world };
}
