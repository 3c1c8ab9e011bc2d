import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyKind } from '../arm/kind.ts';
import { show } from '../arm/envelope.ts';
import { groupType } from '../arm/lookup.ts';
import { driveLongWork } from '../arm/long-work.ts';
import { createShown } from '../arm/shown.ts';
import type { ArmContext } from '../arm/wire.ts';
import { seedPrincipals } from '../identity/bootstrap.ts';
import { answerAuthorization } from '../identity/authorization.ts';
import { allows } from '../identity/roles.ts';
import { createSignIn } from '../identity/sign-in.ts';
import { issuerOf } from '../identity/plugin.ts';
import { openTokens } from '../identity/tokens.ts';
import { UserError } from '../lib/errors.ts';
import { managedGroup } from '../kinds/platform.ts';
import { wallsOfIntent } from '../network/walls.ts';
import type { Resource } from '../store/resource.ts';
import { masterKeyIn, openStore, type ControlStore } from '../store/store.ts';
import { createApp, endpointsOf } from './app.ts';
import { askItself } from './ask-itself.ts';
import { openAuthorities } from './authority.ts';
import { addExtensionRoutes } from './az/routes.ts';
import { buildWheel, readExtension } from './az/wheel.ts';
import { settleConfig, type Config } from './config.ts';
import { fabricPeer, openDoors } from './doors.ts';
import { enrolmentListener } from './enrolment.ts';
import { evidenceIn } from './evidence.ts';
import type { Kinds, KindsOptions } from '../kinds/plane.ts';
import { createEar } from './levels.ts';
import type { RoleContext } from '../lib/role.ts';
import { probeRuns } from './probes.ts';
import { openServices } from './services.ts';
import { addStatusRoute } from './status.ts';
import { addVerifyRoutes, takeEvidence, verifyWork } from './verify.ts';
import { version } from './version.ts';
import { addWhyRoutes } from './why.ts';

/** The kinds that control speaks for; another set stands in tests. */
export interface Plane {
  readonly kinds: readonly AnyKind[];
  readonly start: (dependencies: KindsOptions) => Kinds;
}

/** The role: the plane of this product, until the signal aborts. */
export async function runControl(context: RoleContext): Promise<void> {
  const { kinds } = await import('../kinds/registry.ts');
  const { startKinds } = await import('../kinds/control.ts');
  const control = await startControl(context, { kinds, start: startKinds }).catch((error: unknown) => {
    if (error instanceof UserError)
      context.log.error('control can not start', { code: error.code, next: error.next });
    throw error;
  });
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await control.close();
}

export interface Control {
  readonly port: number;
  readonly endpoint: string;
  /** Every route of the API, as [method, path]. */
  readonly routes: readonly (readonly [string, string])[];
  close(): Promise<void>;
}

export async function startControl(context: RoleContext, plane: Plane): Promise<Control> {
  const folder = context.env['SALLYPORT_CONTROL'];
  if (!folder)
    throw new UserError(
      'NoFolder',
      'SALLYPORT_CONTROL does not name control’s folder.',
      'Start control by sallyport up.',
    );
  await mkdir(folder, { recursive: true });
  await mkdir(join(folder, 'authority'), { recursive: true });
  await chmod(join(folder, 'authority'), 0o700);
  const store = openStore({
    path: join(folder, 'sallyport.db'),
    masterKey: await masterKeyIn(folder),
    clock: context.clock,
    shown: (resource: Resource) => {
      const kind = plane.kinds.find((one) => one.type === resource.type);
      return kind ? show(kind, resource, store) : resource.state;
    },
  });
  try {
    return await compose(context, plane, folder, store, await settleConfig(folder, store));
  } catch (error) {
    store.close();
    throw error;
  }
}

async function compose(
  context: RoleContext,
  plane: Plane,
  folder: string,
  store: ControlStore,
  config: Config,
): Promise<Control> {
  const { clock, log } = context;
  const services = await openServices(folder, config, clock);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const authorities = await openAuthorities(folder, clock);
  seedPrincipals(store);
  store.putOwned({
    id: managedGroup(config.providerSubscription),
    type: groupType,
    location: config.location,
    properties: {},
    state: {},
  });

  const verify = verifyWork(store.verifyRuns);
  const evidence = evidenceIn(join(folder, 'evidence'));
  const ear = createEar(() => kinds);
  const probes = probeRuns({
    ...{ clock, signal },
    walls: () => wallsOfIntent(kinds.fabricIntent().document),
    machines: () => ear.fabric()?.report.machines ?? {},
    onAsked: () => doors.wake(fabricPeer),
  });
  const kinds: Kinds = plane.start({
    store,
    clock,
    log,
    signal,
    heard: ear,
    work: () => [...verify.work(), ...probes.work()],
    probes,
    providerSubscription: config.providerSubscription,
    operatorAuthority: authorities.operators.authority.certificate,
    wallsMinutes: config.wallsMinutes,
    location: config.location,
    accounts: [...(config.accounts ?? []), ...services.accounts],
    services: services.machines,
  });

  const doors = await openDoors({
    folder,
    kinds,
    operators: authorities.operators,
    gate: authorities.gate,
    onFabric(report, applied) {
      ear.hearFabric({ report, applied, at: clock.now() });
      verify.onReport(report);
      probes.onReport(report);
      kinds.onFabricReport(report, applied);
    },
    onOperator(identity, report, applied) {
      ear.hearOperator(identity, { report, applied, at: clock.now() });
      kinds.onOperatorReport(identity, report, applied);
    },
    onGate(report, applied) {
      ear.hearGate({ report, applied, at: clock.now() });
      kinds.onGateReport?.(report, applied);
    },
    onEvidence: (name, body) => {
      const probe = /^probe\/([0-9a-f-]{36})$/.exec(name)?.[1];
      return probe === undefined
        ? takeEvidence(name, body, store.verifyRuns, evidence)
        : probes.take(probe, body);
    },
    enrolment: enrolmentListener({
      admit: (cluster, token, admitted) => kinds.admitOperator(cluster, token, admitted),
      admitGate: (token, admitted) =>
        kinds.admitGate
          ? kinds.admitGate(token, admitted)
          : { code: 'NoGate', message: 'There is no gate here.' },
      authority: authorities.operators.authority,
      gateAuthority: authorities.gate.authority,
      enrolments: store.enrolments,
      clock,
      log,
    }),
    log,
  });
  kinds.onIntentChange((peer) => doors.wake(peer));

  const endpoints = endpointsOf(config.port);
  const tokens = await openTokens({
    keyFile: join(folder, 'authority', 'tokens.json'),
    tenantId: config.tenantId,
    audiences: [
      ...endpoints,
      ...endpoints.map((one) => `${one}/graph`),
      'https://management.azure.com',
      'https://management.core.windows.net',
    ],
    issuers: endpoints.flatMap((endpoint) => [
      issuerOf(endpoint, 'adfs'),
      issuerOf(endpoint, config.tenantId),
    ]),
    clock,
  });
  const cx: ArmContext = {
    store,
    kinds: plane.kinds,
    clock,
    tenantId: config.tenantId,
    location: config.location,
    may: (caller, action, scope) => allows(store.principals.assignments(caller.principalId), action, scope),
    authorization: answerAuthorization,
    shown: createShown(store),
    wake(reason) {
      kinds.wake(reason);
      longWork.wake(reason);
    },
  };
  const longWork = driveLongWork(cx, { clock, log, signal });
  const [endpoint] = endpoints;
  const programRoot = fileURLToPath(new URL('../..', import.meta.url));
  const extension = buildWheel(await readExtension(programRoot), version);
  const routes: (readonly [string, string])[] = [];
  const app = createApp({
    cx,
    onRoute: (method, path) => void routes.push([method, path]),
    tokens,
    signIn: createSignIn({
      principals: store.principals,
      credentials: store.credentials,
      tokens,
      clock,
      log,
      signal,
    }),
    port: config.port,
    log,
    tls: authorities.api.server,
    ...(config.rates && { rates: config.rates }),
    ...(config.timeouts && { timeouts: config.timeouts }),
    own(own, authenticated) {
      addExtensionRoutes(own, extension);
      addVerifyRoutes(own, {
        cx,
        kinds,
        runs: store.verifyRuns,
        evidence,
        authenticated,
        heardAt: () => ear.fabric()?.at,
        onAsked: () => doors.wake(fabricPeer),
      });
      addWhyRoutes(own, {
        cx,
        kinds,
        probes,
        authenticated,
      });
      addStatusRoute(own, { cx, kinds, ear, version, endpoint, authenticated });
    },
  });
  try {
    await app.listen({ host: '127.0.0.1', port: config.port });
  } catch (error) {
    stop.abort();
    await doors.close();
    throw portError(error, config.port, folder);
  }
  log.info('control listens', { endpoint });
  await askItself(config.port, authorities.api.authority.certificate).catch((error: unknown) =>
    log.warn('control is not answered by itself, and so hardly by anybody', { endpoint, error }),
  );

  return {
    port: config.port,
    endpoint,
    routes,
    async close() {
      stop.abort();
      await longWork.stopped;
      await app.close();
      await doors.close();
      store.close();
    },
  };
}

function portError(error: unknown, port: number, folder: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new UserError(
    'PortInUse',
    `Port ${port} on 127.0.0.1 is taken by another program, and clients know control by it.`,
    `End that program (ss -ltnp 'sport = :${port}' names it), or set another port in ${join(folder, 'config.json')}.`,
    error,
  );
}
