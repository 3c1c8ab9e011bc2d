import { silentMs } from '../levels.ts';
import type { Pass } from '../pass.ts';
import type { Reason } from '../waiting.ts';
import type { Cluster } from './schema.ts';

export const silence: Reason = {
  code: 'OperatorSilent',
  message: "The cluster's operator doesn't report. See: sallyport logs operator",
};

export function isFresh(cluster: Cluster, pass: Pass): boolean {
  const heard = pass.operatorHeard(cluster.id);
  if (!heard || pass.now - heard.at > silentMs) return false;
  pass.again(heard.at + silentMs + 1);
  return true;
}

/** For what is done already: a control that has just started has heard nobody yet, and that is no news. */
export function operatorSilent(cluster: Cluster, pass: Pass): Reason | undefined {
  if (isFresh(cluster, pass)) return undefined;
  return pass.lasts('silent', silentMs) ? silence : undefined;
}
