import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import { isObject } from '../arm/request-body.ts';
import { authorize, type ArmContext } from '../arm/wire.ts';
import type { Log } from '../lib/log.ts';
import type { Credential } from '../store/credentials.ts';
import type { Principal } from '../store/principals.ts';
import type { Json, JsonObject } from '../store/resource.ts';
import { readCertificate, thumbprints } from './certificates.ts';
import { secretsMost } from './proofs.ts';
import { hashSecret } from './secrets.ts';

const certificatesMost = 4;
const root = '/sallyport/identity/principals';
const write = 'Sallyport/identity/write';

export interface AdministrationOptions {
  readonly cx: ArmContext;
  readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
  readonly log: Log;
}

type At = { Params: { id: string; credential: string } };

/**
 * Principals and what they prove themselves by. Each looks after its own credentials; all others are the platform's people's to make.
 * A new secret is shown once, in the answer that makes it, and is kept as a hash.
 */
export function addAdministration(
  app: FastifyInstance,
  { cx, authenticated, log }: AdministrationOptions,
): void {
  const { principals, credentials } = cx.store;

  /** `me`, or an application id: one's own, or anybody's with the right to it. */
  const principalOf = async (request: FastifyRequest<At>, action: string): Promise<Principal> => {
    const caller = await authenticated(request);
    const asked = request.params.id.toLowerCase();
    const id = asked === 'me' ? caller.principalId : asked;
    if (id !== caller.principalId) authorize(cx, caller, action, '/');
    const found = principals.get(id);
    if (!found) throw new ArmError('NotFound', `There is no principal '${id.slice(0, 100)}'.`);
    return found;
  };
  const show = (one: Principal) => ({
    clientId: one.clientId,
    objectId: one.objectId,
    displayName: one.displayName,
    tenantId: cx.tenantId,
    credentials: credentials.live(one.clientId).map(showCredential),
  });

  app.get(root, async (request) => {
    authorize(cx, await authenticated(request), 'Sallyport/identity/read', '/');
    return { value: principals.all().map(show) };
  });

  app.post(root, async (request, reply) => {
    const caller = await authenticated(request);
    authorize(cx, caller, write, '/');
    const displayName = readBody(request)['displayName'];
    if (typeof displayName !== 'string' || !/^[\p{L}\p{N} _.()-]{1,100}$/u.test(displayName))
      throw new ArmError(
        'InvalidParameter',
        'displayName is missing: 1 to 100 letters, digits, spaces and _ . ( ) -.',
        {
          target: 'displayName',
        },
      );
    const secret = freshSecret();
    const made = { clientId: randomUUID(), objectId: randomUUID(), displayName };
    principals.put({ ...made, secretHash: await hashSecret(secret) });
    log.info('principal made', { principal: made.clientId, by: caller.principalId });
    return reply.code(201).send({ ...show(made), secret });
  });

  app.get<At>(`${root}/:id`, async (request) => show(await principalOf(request, 'Sallyport/identity/read')));

  app.post<At>(`${root}/:id/secrets`, async (request, reply) => {
    const principal = await principalOf(request, write);
    const { name, expiresAt } = readNaming(readBody(request), cx.clock.now());
    const secret = freshSecret();
    const value = await hashSecret(secret);
    const made = cx.store.transaction(() => {
      makeRoom(principal, 'secret', secretsMost, name);
      return credentials.put({
        principal: principal.clientId,
        name,
        kind: 'secret',
        value,
        thumbprint: null,
        thumbprintSha1: null,
        expiresAt,
      });
    });
    log.info('secret made', { principal: principal.clientId, credential: made.id });
    return reply.code(201).send({ ...showCredential(made), secret });
  });

  app.post<At>(`${root}/:id/certificates`, async (request, reply) => {
    const principal = await principalOf(request, write);
    const body = readBody(request);
    const { name } = readNaming(body, cx.clock.now());
    if (typeof body['pem'] !== 'string')
      throw new ArmError('InvalidParameter', 'pem is missing: the certificate, without its key.', {
        target: 'pem',
      });
    const certificate = readCertificate(body['pem'], new Date(cx.clock.now()));
    const made = cx.store.transaction(() => {
      makeRoom(principal, 'certificate', certificatesMost, name);
      return credentials.put({
        principal: principal.clientId,
        name,
        kind: 'certificate',
        value: certificate.toString(),
        ...thumbprints(certificate),
        expiresAt: certificate.validToDate.toISOString(),
      });
    });
    log.info('certificate registered', { principal: principal.clientId, credential: made.id });
    return reply.code(201).send(showCredential(made));
  });

  app.delete<At>(`${root}/:id/credentials/:credential`, async (request, reply) => {
    const principal = await principalOf(request, write);
    const live = credentials.live(principal.clientId);
    const found = live.find(({ id }) => id === request.params.credential.toLowerCase());
    if (!found) return reply.code(204).send();
    if (live.length === 1)
      throw new ArmError(
        'Conflict',
        'It is the last credential of this principal, which could not sign in any more. Make another first.',
      );
    credentials.remove(principal.clientId, found.id);
    log.info('credential removed', { principal: principal.clientId, credential: found.id });
    return reply.code(204).send();
  });

  /** Whoever rotates has the old and the new at a time, and not a heap of forgotten ones. */
  function makeRoom(principal: Principal, kind: Credential['kind'], most: number, name: string): void {
    const live = credentials.live(principal.clientId);
    if (live.some((one) => one.name === name))
      throw new ArmError(
        'Conflict',
        `There is a credential '${name}' already. Choose another name, or delete that one.`,
        {
          target: 'name',
        },
      );
    const same = live.filter((one) => one.kind === kind);
    if (same.length < most) return;
    throw new ArmError(
      'Conflict',
      `This principal has ${same.length} live ${kind}s (${same.map((one) => `${one.name}: ${one.id}`).join(', ')}), and may have ${most}. Delete the old one first.`,
    );
  }
}

const freshSecret = (): string => randomBytes(32).toString('base64url');

const showCredential = ({ id, name, kind, thumbprint, createdAt, expiresAt }: Credential) => ({
  id,
  name,
  kind,
  createdAt,
  expiresAt,
  ...(thumbprint !== null && { thumbprint }),
});

function readBody(request: FastifyRequest): JsonObject {
  const body = (request.body ?? {}) as Json;
  if (isObject(body)) return body;
  throw new ArmError('InvalidRequestContent', 'Send one JSON object.');
}

/** `name` and `days` of a new credential; without `days` it does not expire. */
function readNaming(
  body: JsonObject,
  now: number,
): { readonly name: string; readonly expiresAt: string | null } {
  const name = body['name'] ?? new Date(now).toISOString();
  if (typeof name !== 'string' || !/^[A-Za-z0-9 _.:-]{1,64}$/.test(name))
    throw new ArmError('InvalidParameter', 'name must be 1 to 64 letters, digits, spaces and _ . : -.', {
      target: 'name',
    });
  const { days } = body;
  if (days === undefined || days === null) return { name, expiresAt: null };
  if (typeof days !== 'number' || !Number.isInteger(days) || days < 1 || days > 730)
    throw new ArmError('InvalidParameter', 'days must be a whole number from 1 to 730.', { target: 'days' });
  return { name, expiresAt: new Date(now + days * 86_400_000).toISOString() };
}
