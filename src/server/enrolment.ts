import type { RequestListener } from 'node:http';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { gatePeer } from '../exchange/intents/join.ts';
import { answer, readBody, refuse } from '../exchange/server.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isSoundRequest, issueOnRequest, type Authority } from '../lib/x509.ts';
import type { Enrolments } from '../store/enrolments.ts';
import type { Kinds } from '../kinds/plane.ts';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const check = Compile(Type.Object({ cluster: text(512), token: text(512), request: text(16_384) }));

/** A wrong token is answered late. */
const refusalMs = 500;

/**
 * `POST /enrol` {cluster, token, request}: an operator's certificate for its one-time token, or the gate's. The name in it is
 * control's word, and not the request's; each of the two has an authority of its own.
 */
export function enrolmentListener(options: {
  readonly admit: Kinds['admitOperator'];
  readonly admitGate: NonNullable<Kinds['admitGate']>;
  readonly authority: Authority;
  readonly gateAuthority: Authority;
  readonly enrolments: Enrolments;
  readonly clock: Clock;
  readonly log: Log;
}): RequestListener {
  const { enrolments, clock, log } = options;
  const admit: Kinds['admitOperator'] = async (cluster, token, admitted) =>
    cluster === gatePeer
      ? (options.admitGate(token, () => admitted?.(gatePeer)) ?? gatePeer)
      : options.admit(cluster, token, admitted);

  return (request, response) => {
    const work = async (): Promise<void> => {
      if (request.method !== 'POST' || request.url !== '/enrol')
        return refuse(response, 404, 'NotFound', 'Only POST /enrol is spoken here.');
      const body = parse(await readBody(request, 64 << 10));
      if (!check.Check(body))
        return refuse(response, 400, 'BadRequest', 'Send {cluster, token, request}: three strings.');
      const { cluster, token, request: signing } = body;
      // Before the token is spent: a flawed request must not cost it.
      if (!(await isSoundRequest(signing))) {
        return refuse(
          response,
          400,
          'BadRequest',
          'The certificate request is not a PKCS#10 request signed by its own key.',
        );
      }
      const keep = (identity: string): void => enrolments.keep(token, signing, identity);
      const admitted = enrolments.admitted(token, signing) ?? (await admit(cluster, token, keep));
      if (typeof admitted !== 'string') {
        log.warn('an enrolment was refused', { cluster: cluster.slice(0, 200), code: admitted.code });
        await clock.sleep(refusalMs);
        return refuse(response, 403, admitted.code, admitted.message);
      }
      keep(admitted);
      const profile = { commonName: admitted, use: ['client'] as const, days: 3650, now: clock.now() };
      const authority = admitted === gatePeer ? options.gateAuthority : options.authority;
      const certificate = await issueOnRequest(authority, signing, profile);
      log.info('a level enrolled', { identity: admitted });
      answer(response, { certificate, authority: authority.certificate });
    };
    work().catch((error: unknown) => {
      log.error('enrolment failed', { error });
      if (!response.headersSent)
        refuse(response, 500, 'InternalServerError', 'Enrolment failed here; the log of control says why.');
    });
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
