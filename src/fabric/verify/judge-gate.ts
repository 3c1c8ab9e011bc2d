/**
 * From what came back by the gate to a verdict. Pure. The gate's own answers are known by their head, which no service's can have; whatever else comes is
 * a service's, and a leak where none may answer. When in doubt it says "not proved", never "stopped".
 */
import { isOwnHead } from '../../network/gate-rules.ts';
import type { VerifyGate } from '../../exchange/intents/fabric.ts';
import type { GateHeard } from './gate-probe.ts';
import { readAnswers, type HttpAnswer } from './http-answers.ts';
import { matches, type Sighting } from './judge.ts';
import type { Control, Identity, Rules, VerifiedTry } from './result.ts';
import type { GateBatch, GateControl, GateSaying } from './tries-gate.ts';
import { mark } from './try.ts';
import type { WorldMachine } from './world.ts';

/** One machine's tries by the gate, as one identity under one state of its rules. */
export interface GatePlayed {
  readonly machine: WorldMachine;
  readonly as: Identity;
  readonly rules: Rules;
  readonly batch: GateBatch;
  readonly heard: ReadonlyMap<string, GateHeard>;
}

const isGates = ({ head }: HttpAnswer): boolean => isOwnHead(head);
/** TLS says that it ends, in the clear. */
const isAlert = (bytes: string): boolean => bytes.startsWith('\x15\x03') && bytes.length === 7;
/** The far side was not who the gate is, by its certificate. */
const isStranger = (code: string): boolean =>
  !isUntimely(code) &&
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code) &&
  !code.startsWith('ERR_SSL');

/** A certificate that isn't in force says nothing of whose it is. */
const isUntimely = (code: string): boolean => /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/.test(code);
/** Only who speaks TLS says so; what is cut before may have been cut on the way there, by the relay of an operator as well. */
const refusesTls = (code: string): boolean => /^ERR_SSL_.*(ALERT|UNRECOGNIZED_NAME)/.test(code);

/** Those of services. An interim answer is one with the answer that ends it. */
const servicesOf = (answers: readonly HttpAnswer[]): readonly HttpAnswer[] =>
  answers.filter((one, n) => {
    const next = answers[n + 1];
    const isInterim = one.status < 200 && one.status !== 101;
    return !isGates(one) && !(isInterim && next && !isGates(next));
  });

/** Which controls a service answered: as many times as it was asked, and nobody else in its place. */
export function shownByGate({ batch, heard }: Pick<GatePlayed, 'batch' | 'heard'>): ReadonlySet<GateControl> {
  const missed = batch.controls.filter((one) => flawOfControl(one, heard.get(one.order.id)) !== undefined);
  const kinds = batch.controls.map(({ control }) => control);
  return new Set(kinds.filter((kind) => !missed.some(({ control }) => control === kind)));
}

/** Why a control was not seen; undefined: it was. */
function flawOfControl(control: GateSaying, heard: GateHeard | undefined): string | undefined {
  if (!heard) return 'nothing is known of it';
  const answers = readAnswers(heard.heard, control.head);
  const gates = answers?.find(isGates);
  if (gates) return `${gates.status}: ${gates.body.trim().slice(0, 120)}`;
  if (answers && servicesOf(answers).length === control.own) return undefined;
  return heard.stage === 'none' ? `it does not come to the gate: ${heard.end}` : `no answer: ${heard.end}`;
}

/** Where the gate's own cable shows it begin something towards an account that nobody may reach. */
export function gateStrays(
  { other }: Pick<GateBatch, 'other'>,
  gate: WorldMachine | undefined,
  sightings: readonly Sighting[],
): boolean {
  if (!gate || !other?.shut) return false;
  const marker = mark(other.address, 'tcp', other.port, [gate.address]);
  return sightings.some(
    (s) => s.place === 'nic-out' && s.of === gate.id && s.seen.some((seen) => matches(marker, seen)),
  );
}

/**
 * What policies let since the tries were chosen, by what they say at the end. `reached`: this operator may reach the account that was aimed
 * at; `open`: somebody may. Undefined: nobody knows more than then.
 */
export function openedSince(
  { other }: Pick<GateBatch, 'other'>,
  before: VerifyGate,
  now: readonly VerifyGate[] | undefined,
): { readonly reached: boolean; readonly open: boolean } {
  if (!other || !now) return { reached: false, open: false };
  const own = now.find(({ operator }) => operator === before.operator);
  const still = own?.others.find(({ name }) => name === other.name);
  return { reached: own !== undefined && !still, open: !still?.shut };
}

interface Evidence {
  readonly blind: readonly string[];
  /** The gate began something towards an account that nobody might reach. */
  readonly strays: boolean;
  readonly since?: ReturnType<typeof openedSince>;
}

export function judgeGate(played: GatePlayed, evidence: Evidence): readonly VerifiedTry[] {
  const { machine, as, rules, batch, heard } = played;
  const shown = shownByGate(played);
  const towards = batch.other ? 'an account of others' : 'an account that nobody has';
  return batch.tries.map((tried): VerifiedTry => {
    const base = { machine: machine.id, as, rules, what: tried.what, towards };
    const said = judgeOne(tried, heard.get(tried.order.id), shown, evidence);
    return { ...base, wall: said[0] === 'stopped' ? 'gate' : null, outcome: said[0], evidence: said[1] };
  });
}

type Said = readonly [VerifiedTry['outcome'], string];

function judgeOne(
  tried: GateSaying,
  heard: GateHeard | undefined,
  shown: ReadonlySet<GateControl>,
  { blind, strays, since }: Evidence,
): Said {
  const changed: Said = ['not proved', 'the policies were changed meanwhile'];
  const begun: Said = since?.open
    ? changed
    : ['leaked', 'the gate itself began a connection to that account, which nobody may reach'];
  if (!heard) return strays ? begun : ['not proved', 'the prober says nothing of it'];
  const { stage, end } = heard;
  const answers = isAlert(heard.heard) ? [] : readAnswers(heard.heard, tried.head);
  if (!answers)
    return ['leaked', `something answered that is no refusal of the gate's: ${heard.heard.length} bytes`];
  const services = servicesOf(answers);
  if (services.length > tried.own && since?.reached) return changed;
  if (services.length > tried.own)
    return ['leaked', `a service answered: ${services.map(({ status }) => status).join(', ')}`];
  if (isStranger(end)) return ['leaked', `another than the gate answered: ${end}`];
  if (strays) return begun;

  if (blind.length > 0) return ['not proved', blind[0]!];
  if (!shown.has('request'))
    return ['not proved', 'no service answers by the gate now, so that none answers this proves nothing'];
  if (!shown.has(tried.control))
    return ['not proved', `what shows that the means works (${tried.control}) was not seen`];
  if (stage === 'none') return ['not proved', `it did not come to the gate: ${end}`];
  if (end === 'full') return ['not proved', 'more came back than was heard out'];
  if (isUntimely(end)) return ['not proved', `the certificate that was shown is not in force: ${end}`];
  const refusal = answers.find(isGates);
  if (refusal) return ['stopped', `refused: ${wordOf(refusal)}`];
  if (end === 'silent' && services.length === 0) return ['not proved', 'neither answered nor cut'];
  if (services.length > 0)
    return ['stopped', `the allowed account's service answered, and it alone (${end})`];
  if (stage === 'secured' || !tried.order.tls) return ['stopped', `cut without an answer: ${end}`];
  return refusesTls(end)
    ? ['stopped', `TLS was refused: ${end}`]
    : ['not proved', `cut before TLS was refused: ${end}`];
}

const wordOf = ({ status, body }: HttpAnswer): string =>
  /refused this request: (\w+)/.exec(body)?.[1] ?? (status === 400 ? 'malformed' : String(status));

/** One line for each machine and means, over all of its states. */
export function gateControls(played: readonly GatePlayed[]): readonly Control[] {
  const machines = [...new Set(played.map(({ machine }) => machine))];
  return machines.flatMap((machine) => {
    const own = played.filter((one) => one.machine === machine);
    const { account, controls } = own[0]!.batch;
    const from = machine.hostname;
    const none = `policies let nothing be asked of ${account.name} that would surely change nothing there: let GET through too, at a path where nothing is`;
    if (controls.length === 0)
      return [{ kind: 'allowed', what: 'by the gate', from, seen: false, evidence: none }];
    const kinds = [...new Set(controls.map(({ control }) => control))];
    return kinds.map((control): Control => {
      const flaws = own.flatMap(({ batch, heard }) =>
        batch.controls
          .filter((one) => one.control === control)
          .flatMap((one) => flawOfControl(one, heard.get(one.order.id)) ?? []),
      );
      return {
        ...{ kind: 'allowed', from, seen: flaws.length === 0 },
        what: `${account.name} by the gate: ${controlNames[control]}`,
        evidence: flaws[0] ?? `its service answered in ${own.length} of ${own.length} states`,
      };
    });
  });
}

const controlNames: Readonly<Record<GateControl, string>> = {
  request: 'a request',
  host: 'Host in capitals and with its port',
  body: 'a body in chunks',
  two: 'two requests on a connection',
};
