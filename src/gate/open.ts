/** Puts the parts of a gate together on a disk; who hands it its intent is the caller's to say. */
import { chmod, mkdir } from 'node:fs/promises';
import type { GateIntent } from '../exchange/intents/gate.ts';
import type { Revised } from '../exchange/revision.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { openAuthorities } from './authorities.ts';
import type { DoorKeeper } from './door.ts';
import { createEnforcer } from './enforce.ts';
import { createGate, type GateStatus } from './gate.ts';
import { boundFile, openLedger } from './ledger.ts';
import { statOf, workersOf, type Stat } from './master.ts';
import type { GatePaths } from './paths.ts';
import { createProxy } from './proxy.ts';

export interface OpenGateOptions {
  readonly paths: GatePaths;
  /** The proxy's program. */
  readonly program: string;
  /** The address that it listens on. */
  readonly listen: string;
  /** Of its machine; left out where the proxy listens on an address that only its clients have. */
  readonly door?: DoorKeeper;
  readonly intent: () => Promise<Revised<GateIntent> | undefined>;
  readonly wake: (reason: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The proxy says little that is wrong with it, and says it again and again. */
const mostComplaints = 1 << 20;

export async function openGate(options: OpenGateOptions): Promise<Reconciler<GateStatus>> {
  const { paths, clock, log } = options;
  for (const folder of [paths.certificates, paths.generations]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  }
  const authorities = await openAuthorities(paths.authorities, paths.certificates);
  const ledger = await openLedger(paths.counts, paths.traffic);
  const proxy = createProxy({
    ...{ paths, program: options.program, clock, log },
    onExit: () => options.wake('the proxy ended'),
  });
  const ground = { listen: options.listen, certificate: authorities.fileOf };
  const enforcer = createEnforcer({ paths, ground, proxy, log });

  async function look(): Promise<readonly (readonly [string, Stat])[]> {
    await boundFile(paths.complaints, mostComplaints);
    if (!(await proxy.running())) return [];
    const { current, old } = await workersOf(paths.master);
    const all = current === undefined ? old : [current, ...old];
    return Promise.all(all.map(async (pid) => [String(pid), await statOf(paths.master, pid)] as const));
  }

  return createGate({
    ...(options.door && { door: options.door }),
    ...{ intent: options.intent, authorities, enforcer, ledger, look, starts: proxy.starts, clock, log },
  });
}
