import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { parseJson } from '../arm/request-body.ts';
import {
  addArm,
  addErrors,
  addRequestIds,
  addRequestLog,
  answerError,
  asArmError,
  errorBody,
  requestId,
} from '../arm/plugin.ts';
import { parseLooseJson } from '../arm/deployments/loose-json.ts';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import { createThrottle, defaultRates, type Rates } from '../arm/throttle.ts';
import type { ArmContext } from '../arm/wire.ts';
import { addAdministration } from '../identity/administration.ts';
import { authenticate } from '../identity/authenticate.ts';
import { addGraph } from '../identity/graph.ts';
import { addIdentity } from '../identity/plugin.ts';
import type { SignIn } from '../identity/sign-in.ts';
import type { Tokens } from '../identity/tokens.ts';
import type { Log } from '../lib/log.ts';
import type { Authority } from '../lib/x509.ts';
import { metadata } from './metadata.ts';

export interface AppOptions {
  readonly cx: ArmContext;
  readonly tokens: Tokens;
  readonly signIn: SignIn;
  readonly port: number;
  readonly log: Log;
  readonly rates?: Rates;
  /** Hears of every route there is: a test walks them. */
  readonly onRoute?: (method: string, path: string) => void;
  /** Left out: for `inject` only. */
  readonly tls?: Authority;
  /** Our own routes beside ARM's. */
  readonly own?: (app: FastifyInstance, authenticated: (request: FastifyRequest) => Promise<Caller>) => void;
}

const bodyLimit = 4 << 20;

export const endpointsOf = (port: number): readonly [string, string] => [
  `https://127.0.0.1:${port}`,
  `https://localhost:${port}`,
];

/** The API as one application: sign-in, ARM, our own routes. */
export function createApp({
  cx,
  tokens,
  signIn,
  port,
  log,
  tls,
  own,
  rates,
  onRoute,
}: AppOptions): FastifyInstance {
  const [endpoint, ...aliases] = endpointsOf(port);
  // Addresses in answers are those by which the caller came, where they are ours at all.
  const endpointOf = (request: FastifyRequest): string =>
    aliases.find((alias) => alias === `https://${request.headers.host?.toLowerCase() ?? ''}`) ?? endpoint;
  const authenticated = (request: FastifyRequest): Promise<Caller> =>
    authenticate(request.headers.authorization, tokens, cx.store.principals);

  const app = fastify({
    bodyLimit,
    genReqId: requestId,
    exposeHeadRoutes: false,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true },
    frameworkErrors: (error, request, reply) =>
      void answerError(asArmError(error), error, request, reply.header('x-ms-request-id', request.id), log),
    clientErrorHandler: (_error: unknown, socket: Socket) => answerNoise(socket),
    ...(tls && { https: { key: tls.privateKey, cert: tls.certificate, minVersion: 'TLSv1.2' } }),
  }) as unknown as FastifyInstance;

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      done(null, (isDeployment(request) ? parseLooseJson : parseJson)(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) onRoute?.(one, url);
  });
  addRequestIds(app);
  addRequestLog(app, log);
  addErrors(app, log, endpointOf);
  addIdentity(app, { tenantId: cx.tenantId, tokens, signIn, endpointOf });
  app.get('/metadata/endpoints', async (request) => metadata(endpointOf(request), cx.tenantId));
  addGraph(app, { principals: cx.store.principals, tenantId: cx.tenantId, authenticated });
  addAdministration(app, { cx, authenticated, log });
  own?.(app, authenticated);
  const throttle = createThrottle(rates ?? defaultRates, cx.clock);
  addArm(app, { cx, authenticate: authenticated, endpointOf, throttle, log });
  return app;
}

/** az splices a template's raw text into what is JSON otherwise. */
const isDeployment = (request: FastifyRequest): boolean =>
  /\/providers\/+Microsoft\.Resources\/+deployments\//i.test(request.raw.url ?? '');

/** What is no HTTP at all gets one answer, and the connection is closed. */
function answerNoise(socket: Socket): void {
  if (!socket.writable) return socket.destroy() as unknown as void;
  const body = JSON.stringify(
    errorBody(new ArmError('BadRequest', 'This is not a well-formed HTTP request.')),
  );
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
