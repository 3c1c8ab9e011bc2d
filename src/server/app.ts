import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
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
  readonly timeouts?: Timeouts;
  /** Hears of every route there is: a test walks them. */
  readonly onRoute?: (method: string, path: string) => void;
  /** Left out: for `inject` only. */
  readonly tls?: Authority;
  /** Our own routes beside ARM's. */
  readonly own?: (
    app: FastifyInstance,
    authenticated: (request: FastifyRequest) => Caller | Promise<Caller>,
  ) => void;
}

/** How long a client may take, in milliseconds: for its headers, and for a request as a whole. */
export interface Timeouts {
  readonly headersMs: number;
  readonly requestMs: number;
}

const defaultTimeouts: Timeouts = { headersMs: 15_000, requestMs: 60_000 };
/** More than all the clients of one installation open, and fewer than control has files for. */
const connectionsMost = 2_000;
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
  timeouts = defaultTimeouts,
  onRoute,
}: AppOptions): FastifyInstance {
  const [endpoint, ...aliases] = endpointsOf(port);
  // Addresses in answers are those by which the caller came, where they are ours at all.
  const endpointOf = (request: FastifyRequest): string =>
    aliases.find((alias) => alias === `https://${request.headers.host?.toLowerCase() ?? ''}`) ?? endpoint;
  const authenticated = (request: FastifyRequest): Caller | Promise<Caller> =>
    authenticate(request.headers.authorization, tokens, cx.store.principals);

  const app = fastify({
    bodyLimit,
    genReqId: requestId,
    exposeHeadRoutes: false,
    requestTimeout: timeouts.requestMs,
    forceCloseConnections: true,
    routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true },
    frameworkErrors: (error, request, reply) =>
      void answerError(asArmError(error), error, request, reply.header('x-ms-request-id', request.id), log),
    clientErrorHandler: (error: unknown, socket: Socket) => answerNoise(error, socket),
    ...(tls && {
      https: {
        key: tls.privateKey,
        cert: tls.certificate,
        minVersion: 'TLSv1.2',
        handshakeTimeout: timeouts.headersMs,
        headersTimeout: timeouts.headersMs,
        requestTimeout: timeouts.requestMs,
        connectionsCheckingInterval: Math.ceil(timeouts.headersMs / 4),
      },
    }),
  }) as unknown as FastifyInstance;

  app.server.maxConnections = connectionsMost;
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

/** What is no HTTP at all, or took too long to become it, gets one answer in ARM's form, and the connection is closed. */
function answerNoise(error: unknown, socket: Socket): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Without a finished handshake nothing can be said, and an `end` would wait for it for ever.
  if (!socket.writable || /^ERR_(TLS|SSL)_/.test(code)) return void socket.destroy();
  const refusal = noiseOf(code);
  const body = JSON.stringify(errorBody(refusal));
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-ms-request-id: ${requestId()}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function noiseOf(code: string): ArmError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ArmError('RequestTimeout', 'The request did not arrive whole in time. Send it again.');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ArmError('RequestHeadersTooLarge', 'The headers of the request are larger than 16 KiB.');
  return new ArmError('BadRequest', 'This is not a well-formed HTTP request.');
}
