/** Makes a data centre's tokens beside the passes, which don't wait for a JVM: one at a time, told by `onMade`. */
import type { OperatorDataCenter, OperatorIntent } from '../exchange/intents/operator.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Book, OperatorState } from './state.ts';
import { generateTokens, tokensKey, type TokenTools } from './tokens.ts';

export interface TokenMaker {
  /** Starts what is missing; returns why the last try for one of the data centres failed. */
  ensure(intent: OperatorIntent, state: OperatorState): Fault | undefined;
}

export interface TokenMakerOptions {
  readonly book: Book;
  readonly tools: TokenTools;
  readonly onMade: () => void;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly generate?: typeof generateTokens;
}

/** Whether the tokens at hand are for other nodes than are intended; once the ring is started nothing makes new ones. */
export const wantsTokens = (dataCenter: OperatorDataCenter, state: OperatorState): boolean => {
  const ring = state.rings[dataCenter.name];
  return (
    ring?.rung === 'enrolling' && dataCenter.nodes.length > 0 && ring.tokensFor !== tokensKey(dataCenter)
  );
};

export function createTokenMaker(options: TokenMakerOptions): TokenMaker {
  const { book, tools, log, signal, generate = generateTokens } = options;
  let running = false;
  let fault: Fault | undefined;

  async function make(dataCenter: OperatorDataCenter): Promise<void> {
    try {
      const tokens = await generate(dataCenter, tools, signal);
      await book.write((state) => {
        const ring = state.rings[dataCenter.name];
        if (!ring || !wantsTokens(dataCenter, state)) return state;
        return {
          ...state,
          rings: { ...state.rings, [dataCenter.name]: { ...ring, tokens, tokensFor: tokensKey(dataCenter) } },
        };
      });
      fault = undefined;
    } catch (error) {
      fault = faultOf(error);
      if (!signal.aborted) log.error('no tokens', { dataCenter: dataCenter.name, error });
    }
  }

  return {
    ensure(intent, state) {
      const wanted = intent.dataCenters.find((dataCenter) => wantsTokens(dataCenter, state));
      if (wanted && !running) {
        running = true;
        void make(wanted).then(() => {
          running = false;
          if (!fault) options.onMade();
        });
      }
      return wanted && fault;
    },
  };
}
