/**
 * The judgement on an enrolment. A one-time key is good for the node it was made for, and for one set of keys: the same
 * keys may ask again until the node was seen with them (an answer can be lost); other keys are refused from the first
 * grant on. The one-time peer dies with the first handshake of the node's own key.
 */
import { Value } from 'typebox/value';
import { EnrolmentRequest, type EnrolmentGrant } from '../exchange/intents/node.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { describeRequest } from '../lib/x509.ts';
import { ports } from '../network/ports.ts';
import { isWireguardKey } from '../network/wireguard-keys.ts';
import { issueForNode, type Authorities } from './authorities.ts';
import { granted, lastingAddress, memberAt } from './members.ts';
import type { Refusals } from './refusals.ts';
import type { Book, Grant, Member, OperatorState } from './state.ts';

export interface EnrolmentOptions {
  readonly book: Book;
  readonly authorities: Authorities;
  readonly refusals: Refusals;
  /** The cluster as the intent in force has it; undefined before there is one. */
  readonly cluster: () => { readonly identity: string; readonly ulaPrefix: string } | undefined;
  /** Which member's one-time tunnel address a connection comes from. */
  readonly memberOf?: (state: OperatorState, prefix: string, source: string) => Member | undefined;
  /** Makes the tunnel's peers those of the state: before the node hears its grant, its own key is a peer. */
  readonly applyPeers: () => Promise<void>;
  readonly onGranted: (node: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export type Answer =
  | { readonly status: 200; readonly body: EnrolmentGrant }
  | { readonly status: number; readonly code: string; readonly message: string };

export interface Enrolment {
  enrol(source: string, body: unknown): Promise<Answer>;
  /** The member that a connection comes from, for what is said about it. */
  memberAt(source: string): Member | undefined;
}

const expectedKey = 'ECDSA P-256';

export function createEnrolment(options: EnrolmentOptions): Enrolment {
  const { book, refusals, authorities } = options;
  const memberOf =
    options.memberOf ?? ((state, prefix, source) => memberAt(state, prefix, source, 'oneTime'));
  const memberFrom = (source: string): Member | undefined => {
    const cluster = options.cluster();
    return cluster && memberOf(book.read(), cluster.ulaPrefix, source);
  };
  /** Below 500 a node gives up for good: only what another try can't mend is refused so. */
  const no = (status: number, code: string, message: string): Answer => {
    refusals.record(code, message);
    return { status, code, message };
  };

  async function enrol(source: string, body: unknown): Promise<Answer> {
    const cluster = options.cluster();
    if (!cluster)
      return { status: 503, code: 'NotReady', message: 'The operator has no intent yet. Ask again.' };
    const member = memberFrom(source);
    if (!member) return no(403, 'Stranger', `${source} is no one-time address of this cluster.`);
    if (!member.oneTime) {
      return no(403, 'OneTimeKeyUsed', `The one-time key of node '${member.name}' was used already.`);
    }
    if (!Value.Check(EnrolmentRequest, body)) {
      const [flaw] = Value.Errors(EnrolmentRequest, body);
      return no(
        400,
        'BadRequest',
        `Node '${member.name}': the request is malformed: ${flaw?.instancePath} ${flaw?.message}.`,
      );
    }
    const request = body as EnrolmentRequest;
    const flaw = judge(book.read(), member, request);
    if (flaw) return no(flaw.status, flaw.code, flaw.message);
    const keyDigests = await digestsOf(request).catch((error: unknown) => String(error));
    if (typeof keyDigests === 'string') {
      return no(400, 'BadCertificateRequest', `Node '${member.name}': ${keyDigests}`);
    }
    const grant = member.grant ?? (await makeGrant(cluster.identity, member, request, keyDigests));
    // Only one of two that ask at once gets in: what counts is what the book says when it is this one's turn.
    const after = await book.write((state) => {
      const now = state.members[member.name];
      const mine = now?.oneTime?.publicKey === member.oneTime!.publicKey && now.grant === null;
      return mine && !keyTaken(state, member.name, request.wireguardPublicKey)
        ? granted(state, member.name, grant)
        : state;
    });
    const kept = after.members[member.name];
    if (!kept?.grant || !kept.oneTime || !sameKeys(kept.grant, request.wireguardPublicKey, keyDigests)) {
      return no(
        403,
        'AlreadyEnrolled',
        `Node '${member.name}' has enrolled with other keys already; its one-time key can't be used for these.`,
      );
    }
    try {
      await options.applyPeers();
    } catch (error) {
      options.log.error('the tunnel could not take a new peer', { node: member.name, error });
      return {
        status: 503,
        code: 'TryAgain',
        message: 'The tunnel could not take the key. Ask again with the same one.',
      };
    }
    options.onGranted(member.name);
    return {
      status: 200,
      body: {
        address: lastingAddress(cluster.ulaPrefix, after.numbers[member.name]!),
        exchange: {
          certificate: kept.grant.certificates.exchange,
          authority: authorities.exchange.certificate,
          port: ports.exchange,
        },
      },
    };
  }

  async function makeGrant(
    identity: string,
    member: Member,
    request: EnrolmentRequest,
    keyDigests: Grant['keyDigests'],
  ): Promise<Grant> {
    const now = options.clock.now();
    const subject = { name: member.name, address: member.address, identity };
    const issued = await issueForNode(authorities, subject, request.requests, now);
    return { publicKey: request.wireguardPublicKey, keyDigests, at: new Date(now).toISOString(), ...issued };
  }

  return { enrol, memberAt: memberFrom };
}

interface Flaw {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What the state alone says against a request. */
export function judge(state: OperatorState, member: Member, request: EnrolmentRequest): Flaw | undefined {
  if (request.node !== member.name) {
    const message = `The one-time key of node '${member.name}' was used to enrol as '${request.node.slice(0, 100)}'.`;
    return { status: 403, code: 'WrongNode', message };
  }
  if (request.address !== member.address) {
    const message = `Node '${member.name}' has the address ${request.address.slice(0, 50)}, and ${member.address} is intended.`;
    return { status: 403, code: 'WrongAddress', message };
  }
  if (!isWireguardKey(request.wireguardPublicKey) || /^A{43}=$/.test(request.wireguardPublicKey)) {
    return {
      status: 400,
      code: 'BadKey',
      message: `Node '${member.name}': the WireGuard key is not 32 bytes in base64.`,
    };
  }
  if (keyTaken(state, member.name, request.wireguardPublicKey)) {
    return {
      status: 403,
      code: 'KeyInUse',
      message: `Node '${member.name}' came with a WireGuard key that has an owner.`,
    };
  }
  return undefined;
}

/** Two peers with one key are one peer: the later would take the earlier's addresses. */
function keyTaken(state: OperatorState, name: string, publicKey: string): boolean {
  const others = Object.values(state.members).filter((member) => member.name !== name);
  const oneTime = Object.values(state.members).map((member) => member.oneTime?.publicKey);
  return [state.wireguard.publicKey, ...oneTime, ...others.map((member) => member.grant?.publicKey)].includes(
    publicKey,
  );
}

async function digestsOf({ requests }: EnrolmentRequest): Promise<Grant['keyDigests']> {
  const of = async (request: string): Promise<string> => {
    const { keyDigest, algorithm } = await describeRequest(request);
    if (algorithm !== expectedKey)
      throw new Error(`A certificate is asked for a key of ${algorithm}, not ${expectedKey}.`);
    return keyDigest;
  };
  const [exchange, internode, client] = await Promise.all([
    of(requests.exchange),
    of(requests.internode),
    of(requests.client),
  ]);
  return { exchange, internode, client };
}

const sameKeys = (grant: Grant, publicKey: string, digests: Grant['keyDigests']): boolean =>
  grant.publicKey === publicKey &&
  grant.keyDigests.exchange === digests.exchange &&
  grant.keyDigests.internode === digests.internode &&
  grant.keyDigests.client === digests.client;
