import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../lib/log.ts';
import { remembered } from '../lib/remembered.ts';
import type { Json } from '../store/resource.ts';
import { DiskFullError } from '../store/sqlite.ts';
import { ArmError, armErrors } from './errors.ts';
import { askArm } from './ask.ts';
import type { Caller } from './kind.ts';
import type { Throttle } from './throttle.ts';
import type { ArmContext } from './wire.ts';

export interface ArmPluginOptions {
  readonly cx: ArmContext;
  /** Who asks, by the `Authorization` header; throws an ArmError (401). */
  readonly authenticate: (request: FastifyRequest) => Caller | Promise<Caller>;
  /** How the caller reaches us. */
  readonly endpointOf: (request: FastifyRequest) => string;
  readonly throttle: Throttle;
  readonly log: Log;
}

/** Whatever no other route took is ARM's. */
export function addArm(
  app: FastifyInstance,
  { cx, authenticate, endpointOf, throttle, log }: ArmPluginOptions,
): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  const admit = (request: FastifyRequest, reply: FastifyReply, caller: Caller): void => {
    callers.set(request, caller);
    reply.headers(throttle(caller.principalId, request.method));
  };
  async function admitLater(
    request: FastifyRequest,
    reply: FastifyReply,
    caller: Promise<Caller>,
    done: (error?: Error) => void,
  ): Promise<void> {
    try {
      admit(request, reply, await caller);
    } catch (error) {
      return done(error as Error);
    }
    done();
  }
  // Before the body is read: nobody unknown gets to send us megabytes. A caller that is known at once is not waited for.
  const onRequest = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const path = pathOf(request);
    // Nothing to protect at a path that is not ARM's: it is simply not there.
    if (!/^\/+(subscriptions|tenants|providers)(\/|$)/i.test(path)) throw notThere(path);
    const caller = authenticate(request);
    if (!(caller instanceof Promise)) {
      admit(request, reply, caller);
      return done();
    }
    void admitLater(request, reply, caller, done);
  };
  app.all('/*', { onRequest }, (request, reply) => {
    const caller = callers.get(request)!;
    const asked = {
      method: request.method,
      path: pathOf(request),
      query: queryOf(request.raw.url ?? ''),
      header: (name: string) => headerOf(request, name),
      body: request.body as Json | undefined,
      caller,
      endpoint: endpointOf(request),
    };
    const answer = noting(request, caller, log, () =>
      askArm(cx, asked, String(reply.getHeader('x-ms-correlation-request-id'))),
    );
    reply.code(answer.status).headers(answer.headers ?? {});
    if (answer.text !== undefined) void reply.type('application/json; charset=utf-8').send(answer.text);
    else void (answer.body === undefined ? reply.send() : reply.send(answer.body));
  });
}

/** Read once: nobody changes what they are given. */
const parsedQuery = remembered((text) => new URLSearchParams(text), { most: 500 });

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return parsedQuery(at === -1 ? '' : url.slice(at + 1));
}

/** Who was refused for want of a right is in the log by name: the activity log holds the same, for the customer. */
function noting<T>(request: FastifyRequest, caller: Caller, log: Log, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ArmError && error.code === 'AuthorizationFailed') {
      const { id, method } = request;
      log.warn('refused', { id, method, path: pathOf(request).slice(0, 500), principal: caller.principalId });
    }
    throw error;
  }
}

export const notThere = (path: string): ArmError =>
  new ArmError(
    'NotFound',
    `There is nothing at '${path.slice(0, 200)}'. Check the path against docs/reference.`,
  );

/** The ids by which a request is found again in the log, on every answer. */
export function addRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const correlation = headerOf(request, 'x-ms-correlation-request-id');
    const clientId = headerOf(request, 'x-ms-client-request-id');
    reply.headers({
      'x-ms-request-id': request.id,
      'x-ms-correlation-request-id': correlation && isPlain(correlation) ? correlation : request.id,
      'x-ms-routing-request-id': `SALLYPORT:${new Date().toISOString()}:${request.id}`,
      'cache-control': 'no-cache',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
    });
    if (
      clientId &&
      isPlain(clientId) &&
      headerOf(request, 'x-ms-return-client-request-id')?.toLowerCase() === 'true'
    ) {
      reply.header('x-ms-client-request-id', clientId);
    }
    done();
  });
}

/** One line per answer: never a body, never a query, never a header that holds a credential. */
export function addRequestLog(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', (request, reply, done) => {
    // Who waits for an operation asks every second: what was read well is no news.
    const quiet = (request.method === 'GET' || request.method === 'HEAD') && reply.statusCode < 400;
    const level = quiet ? 'debug' : 'info';
    if (!log.writes(level)) return done();
    const command = headerOf(request, 'commandname');
    log[level]('request', {
      id: request.id,
      method: request.method,
      path: pathOf(request).slice(0, 500),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(command && { command: command.slice(0, 100) }),
    });
    done();
  });
}

/** Every error leaves in ARM's form; what we did wrong ourselves leaves without its cause. */
export function addErrors(app: FastifyInstance, log: Log, endpointOf: ArmPluginOptions['endpointOf']): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const refusal = asArmError(error);
    reply.headers(refusal.headers);
    if (refusal.status === 401) {
      const authority = `${endpointOf(request)}/adfs`;
      const kind = refusal.code === 'InvalidAuthenticationToken' ? ', error="invalid_token"' : '';
      reply.header('WWW-Authenticate', `Bearer authorization_uri="${authority}"${kind}`);
    }
    return answerError(refusal, error, request, reply, log);
  });
  app.setNotFoundHandler((request) => {
    throw notThere(pathOf(request));
  });
}

export function answerError(
  refusal: ArmError,
  cause: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): FastifyReply {
  if (refusal.status >= 500)
    log.error('request failed', { id: request.id, path: pathOf(request), error: cause });
  return reply.code(refusal.status).type('application/json; charset=utf-8').send(errorBody(refusal));
}

export const errorBody = (refusal: ArmError) => ({
  error: {
    code: refusal.code,
    message: refusal.message,
    ...(refusal.target !== undefined && { target: refusal.target }),
    ...(refusal.details.length > 0 && { details: refusal.details }),
  },
});

export function asArmError(error: unknown): ArmError {
  if (error instanceof ArmError) return error;
  if (error instanceof DiskFullError) {
    return new ArmError('InsufficientStorage', `${error.message} ${armErrors.InsufficientStorage.next}`, {
      cause: error,
    });
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ArmError('RequestTooLarge', 'The request content is larger than 4 MiB.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new ArmError(
      'InvalidRequestContent',
      'The request content is not JSON: send it with Content-Type application/json.',
    );
  }
  if (code === 'FST_ERR_BAD_URL') return new ArmError('NotFound', 'The path is not well-formed.');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ArmError('BadRequest', 'The request could not be read. Send it again, whole.', {
      cause: error,
    });
  }
  return new ArmError(
    'InternalServerError',
    "Something went wrong here, and it is our fault. Look up the request's x-ms-request-id in 'sallyport logs control'.",
    { cause: error },
  );
}

export const requestId = (): string => randomUUID();

export function pathOf(request: FastifyRequest): string {
  const url = request.raw.url ?? '/';
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Fit to be echoed and logged. */
const isPlain = (text: string): boolean => /^[A-Za-z0-9._:-]{1,100}$/.test(text);
