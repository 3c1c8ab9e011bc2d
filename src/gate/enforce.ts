/**
 * Makes the proxy let through what a plan says and nothing else: what is no longer granted is cut first, in workers of any age;
 * then the new configuration takes over, and what stays granted is carried on by whichever worker carries it.
 */
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { GateCluster } from '../exchange/intents/gate.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import {
  allowedFile,
  gateConfiguration,
  grantsOf,
  planGate,
  type GateGround,
  type GatePlan,
} from '../network/gate.ts';
import {
  listOf,
  NoAnswer,
  removeFromList,
  shutStreams,
  streamsOf,
  workersOf,
  type Workers,
} from './master.ts';
import type { GatePaths } from './paths.ts';
import type { Proxy } from './proxy.ts';

export interface Enforcer {
  /** Takes away what isn't granted any more, from what runs. It comes first: nothing that is made anew is waited for. */
  cut(clusters: readonly GateCluster[]): Promise<void>;
  /** Returns the plan that is in force; another than the one that was asked for where the proxy would not take that. */
  /** `coming` is told of a plan before anything can pass by it. */
  enforce(clusters: readonly GateCluster[], coming: (plan: GatePlan) => Promise<void>): Promise<GatePlan>;
}

/** The proxy would not take a configuration that we made: our fault, and said as such. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused';
}

export function createEnforcer(options: {
  readonly paths: GatePaths;
  readonly ground: GateGround;
  readonly proxy: Proxy;
  readonly log: Log;
}): Enforcer {
  const { paths, ground, proxy, log } = options;
  /** What was in force last, as far as this role has seen it. */
  let inForce: ReadonlySet<string> | undefined;

  async function enforce(
    clusters: readonly GateCluster[],
    coming: (plan: GatePlan) => Promise<void>,
  ): Promise<GatePlan> {
    const plan = planGate(clusters, ground);
    await coming(plan);
    const allowed = new Set(plan.grants.map(({ backend }) => backend));
    const folder = join(paths.generations, plan.revision);
    const running = await proxy.running();
    if (allowed.size === 0) {
      await rm(paths.current, { force: true });
      await proxy.end();
      return plan;
    }
    const same = running?.revision === plan.revision && (await isCurrent(paths.current, folder));
    if (same) return plan;
    await prepare(plan, folder);
    await link(paths.current, folder);
    await proxy.take(plan.revision);
    // A stream may have begun in the old worker while the new one was starting.
    await cutAll(allowed);
    await forget(paths.generations, plan.revision);
    log.info('the policy is in force', { grants: allowed.size, revision: plan.revision });
    return plan;
  }

  async function prepare(plan: GatePlan, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(plan.files))
      await writeFileAtomic(join(folder, name), text, 0o600);
    const flaw = await proxy.flawOf(join(folder, gateConfiguration));
    if (flaw !== undefined) throw new ConfigurationRefused(flaw);
  }

  /**
   * Takes what isn't allowed from every worker's list, and then ends what it had let through. A proxy that doesn't do as it is
   * told is ended where there was something to take away: better nothing passes than what must not.
   */
  async function cutAll(allowed: ReadonlySet<string>): Promise<void> {
    try {
      const workers = await workersIfAny();
      if (!workers) return;
      const { current, old } = workers;
      for (const worker of [...(current === undefined ? [] : [current]), ...old]) await cut(worker, allowed);
    } catch (error) {
      const takes = inForce === undefined || [...inForce].some((backend) => !allowed.has(backend));
      if (takes) await proxy.end();
      throw error;
    }
  }

  /** Undefined: nobody listens there, so nothing passes. */
  async function workersIfAny(): Promise<Workers | undefined> {
    try {
      return await workersOf(paths.master);
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      return undefined;
    }
  }

  async function cut(worker: number, allowed: ReadonlySet<string>): Promise<void> {
    const listed = await listOf(paths.master, worker, allowedFile);
    const gone = listed.filter((backend) => !allowed.has(backend));
    if (gone.length > 0) await removeFromList(paths.master, worker, allowedFile, gone);
    // Whatever passed the list before is a stream by now.
    const streams = (await streamsOf(paths.master, worker)).filter(
      ({ backend }) => backend.startsWith('g_') && !allowed.has(backend),
    );
    if (streams.length === 0) return;
    await shutStreams(
      paths.master,
      worker,
      streams.map(({ id }) => id),
    );
    log.info('streams cut', { worker, streams: streams.length });
  }

  return {
    async cut(clusters) {
      const allowed = new Set(grantsOf(clusters).map(({ backend }) => backend));
      await cutAll(allowed);
      inForce = allowed;
    },
    async enforce(clusters, coming) {
      try {
        return await enforce(clusters, coming);
      } catch (error) {
        if (!(error instanceof ConfigurationRefused)) throw error;
        // What was allowed before and still is goes on; what is no longer is taken away all the same.
        const before = await grantedNow();
        const both = clusters.map((cluster) => ({
          ...cluster,
          accounts: cluster.accounts.filter((account) =>
            grantsOf([{ ...cluster, accounts: [account] }]).every(({ backend }) => before.has(backend)),
          ),
        }));
        await enforce(both, coming).catch(async (second: unknown) => {
          await proxy.end();
          throw second;
        });
        throw error;
      }
    },
  };

  async function grantedNow(): Promise<ReadonlySet<string>> {
    if (!(await proxy.running())) return new Set();
    const { current } = await workersOf(paths.master);
    return new Set(current === undefined ? [] : await listOf(paths.master, current, allowedFile));
  }
}

const isCurrent = async (current: string, folder: string): Promise<boolean> =>
  (await readlink(current).catch(() => '')) === relative(dirname(current), folder);

/** Points at the new folder in one step: a start at any moment finds the one or the other. */
async function link(current: string, folder: string): Promise<void> {
  const draft = `${current}.new`;
  await rm(draft, { force: true });
  await symlink(relative(dirname(current), folder), draft);
  await rename(draft, current);
}

async function forget(generations: string, kept: string): Promise<void> {
  for (const name of await readdir(generations))
    if (name !== kept) await rm(join(generations, name), { recursive: true, force: true });
}
