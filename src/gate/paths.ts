/**
 * gate/ keeps the proxy by which operators reach named accounts, and nothing but these. It must never be told what to let
 * through by anybody but control, and without having been told it lets nothing through.
 */
import { join } from 'node:path';

export interface GatePaths {
  /** How control is reached; made by control. */
  readonly join: string;
  /** What enrolment gave. */
  readonly control: string;
  /** The last intent: it is in force while control is gone. */
  readonly intent: string;
  /** Keys: one authority for each cluster, and what each has signed. */
  readonly authorities: string;
  /** One file for each certificate with its key, as the proxy reads them. */
  readonly certificates: string;
  /** One folder for each configuration. */
  readonly generations: string;
  /** The configuration that a start of the proxy takes: a link to one of the generations. */
  readonly current: string;
  /** Which process the proxy is. */
  readonly process: string;
  /** What streams carried, as the proxy writes it. */
  readonly traffic: string;
  /** The proxy's own complaints. */
  readonly complaints: string;
  readonly counts: string;
  /** The proxy's master socket, in a folder of its own. */
  readonly master: string;
}

export function gatePaths(disk: string, run: string): GatePaths {
  const folder = join(disk, 'gate');
  return {
    join: join(disk, 'gate.json'),
    control: join(folder, 'control.json'),
    intent: join(folder, 'intent.json'),
    authorities: join(folder, 'authorities.json'),
    certificates: join(folder, 'certificates'),
    generations: join(folder, 'generations'),
    current: join(folder, 'current'),
    process: join(folder, 'process.json'),
    traffic: join(folder, 'traffic.log'),
    complaints: join(folder, 'complaints.log'),
    counts: join(folder, 'counts.json'),
    master: join(run, 'gate', 'master.sock'),
  };
}
