/**
 * Random requests for every kind in the registry, valid and not: no fault of ours, nothing half-written, what was accepted is
 * what is read again, and one's own GET sent back changes nothing. FUZZ_SEED repeats a run, FUZZ_SECONDS makes it longer.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Check } from 'typebox/value';
import { show } from '../../src/arm/envelope.ts';
import { ArmError } from '../../src/arm/errors.ts';
import { createShown, type Shown } from '../../src/arm/shown.ts';
import { kinds as registry } from '../../src/kinds/registry.ts';
import { parseJson } from '../../src/arm/request-body.ts';
import { FabricIntent } from '../../src/exchange/intents/fabric.ts';
import { OperatorIntent } from '../../src/exchange/intents/operator.ts';
import {
  clusterType,
  type ClusterProperties,
  type ClusterState,
} from '../../src/kinds/cassandra-cluster/schema.ts';
import { revise } from '../../src/exchange/revision.ts';
import { fabricIntent, reviseFabric } from '../../src/kinds/fabric-intent.ts';
import { operatorIntent } from '../../src/kinds/operator-intent.ts';
import { noteChange, noting } from '../../src/store/noting.ts';
import { createReports } from '../../src/kinds/reports.ts';
import { createAgenda } from '../../src/kinds/reconcile.ts';
import { settingsOf } from '../../src/kinds/settings.ts';
import { createLog } from '../../src/lib/log.ts';
import { createLedger } from '../../src/reconcile/ledger.ts';
import type { Json, JsonObject } from '../../src/store/resource.ts';
import { customer, group, provider, type World } from '../harness/kinds-world.ts';
import { playedLevels } from '../harness/played-levels.ts';
import { mutate, mutations, ofModel } from './fuzz/arbitrary.ts';
import { learnPaths, outcome, tryOut, type Instance } from './fuzz/learn.ts';
import type { Path } from './fuzz/paths.ts';
import { fuzzWorld, type FuzzWorld } from './fuzz/world.ts';
import { preview, propertiesOf } from './model.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 25);

const now = Date.parse('2026-11-24T10:00:00Z');
const log = createLog({}, { level: 'error' });

let fuzz: FuzzWorld;
/** Lets the reconcilers have their way with what was just accepted. */
let settle: () => void;
let rendered: Shown;
const learned = new Map<string, readonly Path[]>();
before(async () => {
  fuzz = await fuzzWorld();
  settle = follow(fuzz.world);
  rendered = createShown(fuzz.world.store, 20);
  for (const one of fuzz.instances) learned.set(one.kind.type, learnPaths(fuzz.world, one));
});
after(() => fuzz.world.stop());

const rows = (): string => JSON.stringify(fuzz.world.store.below('/subscriptions'));
const ask = (method: string, id: string, body: Json | undefined, as: Instance['as']) =>
  outcome(() =>
    fuzz.world.ask(
      method,
      id,
      body === undefined ? undefined : (parseJson(JSON.stringify(body)) as JsonObject),
      as,
    ),
  );

/** What is kept of what was shown before is what would be shown now. */
function checkRendered(): void {
  const { store } = fuzz.world;
  for (const resource of store.below('/subscriptions')) {
    const kind = registry.find(({ type }) => type.toLowerCase() === resource.type.toLowerCase());
    if (kind)
      assert.equal(rendered(kind, resource), JSON.stringify(show(kind, resource, store)), resource.id);
  }
}

const modelOfKind: Readonly<Record<string, string>> = {
  'Microsoft.DocumentDB/cassandraClusters': 'ClusterResource',
  'Microsoft.DocumentDB/cassandraClusters/dataCenters': 'DataCenterResource',
};
const names = fc.oneof(
  { weight: 6, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constant('two') },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom('-', 'a.', '%20', 'a_b', '%00', '..', 'x'.repeat(120), '%F0%9F%98%80', 'A'),
      fc.string({ minLength: 1, maxLength: 12 }).map(encodeURIComponent),
    ),
  },
);

/** One request and all that must be so afterwards; the store is as before when it ends. True: it was accepted. */
function tryRequest(
  method: string,
  id: string,
  body: Json | undefined,
  as: Instance['as'],
  checkShown?: (properties: JsonObject) => void,
): boolean {
  const { world } = fuzz;
  const earlier = rows();
  return tryOut(world, () => {
    const answer = ask(method, id, body, as);
    if (answer instanceof ArmError) {
      assert.ok(answer.status < 500, `${answer.code}: ${answer.message}`);
      assert.ok(answer.message.length > 10 && answer.message.length < 5_000, answer.message);
      assert.equal(rows(), earlier, `refused with ${answer.code}, and something was written`);
      return false;
    }
    assert.ok(answer.status < 400, String(answer.status));
    assert.ok(Check(FabricIntent, world.kinds.fabricIntent().document), 'the fabric is told nonsense');
    const operator = world.kinds.operatorIntent(world.identity());
    assert.ok(!operator || Check(OperatorIntent, operator.document), 'an operator is told nonsense');
    if (method === 'PUT' || method === 'PATCH') {
      checkShown?.(answer.body!['properties'] as JsonObject);
      checkKept(id, answer.body!, as);
    }
    settle();
    checkRendered();
    return true;
  });
}

/**
 * The reconcilers, led by what changes alone, with levels below that have done what they were told. Then all of it is looked at
 * as a start would: there must be nothing left to write.
 */
function follow({ store, kinds }: World): () => void {
  const settings = settingsOf(store);
  const levels = playedLevels(store, { now: () => now, sleep: () => Promise.resolve() }, () => kinds);
  const ledger = createLedger((piece) => agenda.concerned(piece));
  const noted = noting(store, ledger);
  const reports = createReports(ledger, { now: () => now });
  const agenda = createAgenda({
    store: noted,
    ledger,
    settings: { ...settings, levels },
    revisions: {
      fabric: () => ledger.memo('fabric', () => reviseFabric(noted, settings, [], ledger.memo)).revision,
      operator: (clusterId) =>
        ledger.memo(`operator ${clusterId}`, () => {
          const intent = operatorIntent(noted, clusterId);
          return intent && revise(intent).revision;
        }),
    },
    log,
  });
  let written = 0;
  store.onChange((change) => {
    written++;
    noteChange(ledger, change);
    if (change.of === 'resource') agenda.written(change.type, change.key);
  });
  function listen(): void {
    reports.fabric(levels.fabric()!);
    for (const { id, state } of store.list<ClusterProperties, ClusterState>(clusterType)) {
      const said = levels.operator(id);
      if (said) reports.operator(state.identity, id, said);
    }
  }
  function work(): void {
    for (let round = 0; round < 20; round++) {
      listen();
      if (agenda.isEmpty()) return;
      const steps = agenda.work(now);
      let step = steps.next();
      while (!step.done) step = steps.next();
      assert.deepEqual(step.value, [], 'what was accepted can not be reconciled');
    }
    assert.fail('the reconcilers never come to rest');
  }
  // As control starts: what nobody has looked at yet has read nothing that could change.
  agenda.lookAtAll();
  work();
  return () => {
    work();
    assert.deepEqual(kinds.fabricIntent().document, fabricIntent(store, settings, []), 'a stale document');
    written = 0;
    agenda.lookAround(Infinity);
    work();
    assert.equal(written, 0, 'a change has not led to all that it concerns');
  };
}

/** What the service itself sets, and clients send back. */
const serviceSet = ['provisioningState', 'provisionError', 'prometheusEndpoint', 'deallocated'];

/** Properties that were asked for, taken without a word, and are not so: `Succeeded` would be a lie. */
function ignoredIn(asked: JsonObject, shown: JsonObject, model: string): readonly string[] {
  const plain = (value: Json | undefined): string =>
    JSON.stringify(value ?? null)
      .toLowerCase()
      .replaceAll(/["\s]/g, '');
  const nothing = ['null', '', '[]', '{}', '0', 'false'];
  return Object.entries(propertiesOf(preview, model) ?? {})
    .filter(([name, { readOnly, neverShown }]) => !readOnly && !neverShown && !serviceSet.includes(name))
    .filter(([name]) => !nothing.includes(plain(asked[name])) && plain(asked[name]) !== plain(shown[name]))
    .map(([name]) => `${name}: ${JSON.stringify(asked[name])} became ${JSON.stringify(shown[name])}`);
}

function checkKept(id: string, shown: JsonObject, as: Instance['as']): void {
  const read = ask('GET', id, undefined, as);
  assert.ok(!(read instanceof ArmError));
  assert.deepEqual(read.body, shown, 'what is read again is not what was answered');
  const between = rows();
  const again = ask('PUT', id, read.body, as);
  assert.ok(!(again instanceof ArmError), `its own GET is refused: ${String(again)}`);
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, read.body);
  assert.equal(rows(), between, 'its own GET, sent back, has changed something');
}

const run = (
  t: { diagnostic: (text: string) => void },
  property: fc.IProperty<unknown>,
  share: number,
): void => {
  t.diagnostic(`FUZZ_SEED=${seed}`);
  fc.assert(property as fc.IProperty<unknown>, {
    seed,
    numRuns: 100_000,
    interruptAfterTimeLimit: seconds * 1000 * share,
    markInterruptAsFailure: false,
  });
};

test('bodies near what is right, for every kind', (t) => {
  const counts = new Map<string, { accepted: number; refused: number }>();
  if (fuzz.without.length > 0)
    t.diagnostic(`none could be made of ${fuzz.without.map(({ type }) => type).join(', ')}`);
  const request = fc.record({
    which: fc.nat(1000),
    method: fc.constantFrom('PUT', 'PUT', 'PUT', 'PATCH', 'PATCH', 'DELETE'),
    name: names,
    list: mutations,
    stranger: fc.nat(30),
  });
  const property = fc.property(request, ({ which, method, name, list, stranger }) => {
    const one = fuzz.instances[which % fuzz.instances.length]!;
    const id = name === null ? one.id : one.id.replace(/[^/]+$/, name);
    const body =
      method === 'DELETE' ? undefined : mutate(one.body, list, learned.get(one.kind.type) ?? [], fuzz.pool);
    const as = stranger === 0 ? (one.as === provider ? customer : provider) : one.as;
    const accepted = tryRequest(method, id, body, as);
    const count = counts.get(one.kind.type) ?? { accepted: 0, refused: 0 };
    counts.set(one.kind.type, count);
    count[accepted ? 'accepted' : 'refused']++;
  });
  run(t, property as fc.IProperty<unknown>, 0.6);
  for (const { kind } of fuzz.instances) {
    const { accepted = 0, refused = 0 } = counts.get(kind.type) ?? {};
    t.diagnostic(`${kind.type}: ${accepted} accepted, ${refused} refused`);
    assert.ok(refused > 0, `${kind.type}: nothing was refused`);
    if (kind.verbs.includes('PUT')) assert.ok(accepted > 0, `${kind.type}: nothing was accepted`);
  }
});

test('bodies of the public specification, for the kinds it has', (t) => {
  const counts = { accepted: 0, refused: 0 };
  const request = fc.oneof(
    ...Object.entries(modelOfKind).map(([type, model]) =>
      fc.record({
        type: fc.constant(type),
        body: fc.oneof(
          { weight: 1, arbitrary: ofModel(model) },
          { weight: 6, arbitrary: ofModel(`${model}Properties`).map((properties) => ({ properties })) },
        ),
        over: fc.boolean(),
      }),
    ),
  );
  const property = fc.property(request, ({ type, body, over }) => {
    const one = fuzz.instances.find(({ kind }) => kind.type === type)!;
    const sent: JsonObject = { ...(one.kind.tracked && { location: 'eastus2' }), ...(body as JsonObject) };
    const properties = {
      ...(over && (one.body['properties'] as JsonObject)),
      ...(sent['properties'] as JsonObject | undefined),
    };
    const id = over ? one.id : `${one.id}2`;
    const accepted = tryRequest('PUT', id, { ...sent, properties }, one.as, (shown) =>
      assert.deepEqual(ignoredIn(properties, shown, `${modelOfKind[type]}Properties`), []),
    );
    counts[accepted ? 'accepted' : 'refused']++;
  });
  run(t, property as fc.IProperty<unknown>, 0.25);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.accepted > 0 && counts.refused > 0);
});

test('actions and groups, with any body', (t) => {
  const actions = fuzz.instances.flatMap((one) =>
    Object.entries(one.kind.actions ?? {}).map(([name, { method }]) => ({ one, name, method })),
  );
  const request = fc.record({
    which: fc.nat(1000),
    body: fc.oneof(
      ofModel('CommandPostBody'),
      ofModel('CommandAsyncPostBody'),
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
    ),
  });
  const property = fc.property(request, ({ which, body }) => {
    const target = actions[which % (actions.length + 1)];
    if (target) tryRequest(target.method, `${target.one.id}/${target.name}`, body, target.one.as);
    else tryRequest('POST', group('other'), body, customer);
  });
  run(t, property as fc.IProperty<unknown>, 0.15);
});
