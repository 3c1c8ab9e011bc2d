/** The way up: one enrolment at control, with a token that is good for one, and from then on a certificate. */
import { Value } from 'typebox/value';
import { dialler, ExchangeRefused, type Dial } from './client.ts';
import { ControlJoinFile } from './intents/join.ts';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { createRequest } from '../lib/x509.ts';

/** On disk before the first word to control: whoever asks again after a cut asks with the same key. */
interface Credentials {
  readonly privateKey: string;
  readonly request: string;
  /** Null until control has issued it. */
  readonly certificate: string | null;
  readonly authority: string | null;
}

/** Who enrols, in words for people. */
export interface Enroller {
  /** `operator`: names its own certificate request. */
  readonly name: string;
  /** The page that says what to do when its disk was lost. */
  readonly page: string;
}

export const operatorEnroller: Enroller = { name: 'operator', page: 'docs/operate/lost-operator.md' };
export const gateEnroller: Enroller = { name: 'gate', page: 'docs/operate/gate.md' };

export interface ControlLink {
  readonly join: ControlJoinFile;
  readonly dial: Dial;
}

export async function readJoinFile(path: string, who: Enroller = operatorEnroller): Promise<ControlJoinFile> {
  const next = `put the file that control made for this ${who.name} at ${path}; if its disk was lost: ${who.page}`;
  const file = await readJson<unknown>(path).catch((error: unknown) => {
    throw new UserError('BadJoinFile', `${path} is not JSON.`, next, error);
  });
  if (file === undefined)
    throw new UserError('NoJoinFile', `There is no ${path}: this ${who.name} belongs to no control.`, next);
  if (Value.Check(ControlJoinFile, file)) return file;
  const [flaw] = Value.Errors(ControlJoinFile, file);
  throw new UserError('BadJoinFile', `${path} is malformed: ${flaw?.instancePath} ${flaw?.message}.`, next);
}

export interface EnrolOptions {
  /** An operator when left out. */
  readonly who?: Enroller;
  /** Of the enrolment, where the file names none. */
  readonly enrolmentPort: number;
  readonly join: ControlJoinFile;
  /** Where `join` lies: its token is taken out of the file once it is spent. */
  readonly joinPath: string;
  readonly credentialsPath: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * How control is dialled, after the enrolment where there was none. An unreachable control is asked again and again; a
 * refusal ends the role, because only another join file mends it.
 */
export async function linkToControl(options: EnrolOptions): Promise<ControlLink> {
  const { join } = options;
  let credentials = await readJson<Credentials>(options.credentialsPath);
  if (!credentials) {
    credentials = {
      ...(await createRequest((options.who ?? operatorEnroller).name)),
      certificate: null,
      authority: null,
    };
    await writeJson(options.credentialsPath, credentials);
  }
  if (credentials.certificate === null || credentials.authority === null) {
    const got = await enrol(options, credentials.request);
    credentials = { ...credentials, ...got };
    await writeJson(options.credentialsPath, credentials);
    options.log.info('enrolled at control');
  }
  // A spent token is worth nothing, and a secret that is worth nothing is kept by nobody.
  const { token, ...rest } = join;
  if (token !== undefined) await writeJson(options.joinPath, rest);
  const { address, port, name } = join.control;
  const tls = {
    key: credentials.privateKey,
    cert: credentials.certificate!,
    ca: credentials.authority!,
    servername: name,
  };
  return { join: rest, dial: { host: address, port, tls } };
}

interface Enrolled {
  readonly certificate: string;
  readonly authority: string;
}

async function enrol(options: EnrolOptions, request: string): Promise<Enrolled> {
  const { join, clock, log, signal, who = operatorEnroller } = options;
  if (join.token === undefined) {
    throw new UserError(
      'NoToken',
      `This ${who.name} has enrolled before, and what it got is not in ${options.credentialsPath} any more.`,
      `put the ${who.name}’s folder back from a copy of its disk: ${who.page}`,
    );
  }
  const { address, name, authority } = join.control;
  const port = join.control.enrolmentPort ?? options.enrolmentPort;
  const control = dialler({ host: address, port, tls: { ca: authority, servername: name } });
  const body = { cluster: join.cluster, token: join.token, request };
  try {
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      try {
        const { certificate, authority: issuer } = await control.json<Enrolled>(
          'POST',
          '/enrol',
          body,
          10_000,
          signal,
        );
        return { certificate, authority: issuer };
      } catch (error) {
        if (error instanceof ExchangeRefused && error.status < 500) {
          throw new UserError(
            'EnrolmentRefused',
            `Control refused this ${who.name}: ${error.message}`,
            `${who.page} says what can be done`,
            error,
          );
        }
        log.warn('control does not answer the enrolment', { address, port, error });
        await clock.sleep(Math.min(250 * 2 ** failures, 5_000), signal);
      }
    }
  } finally {
    control.close();
  }
}
