import { join } from 'node:path';
import { TimeoutError, until } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { readFileIfThere, readJson, writeFileAtomic, writeJson } from '../../lib/files.ts';
import { controlCommand } from '../../server/launch.ts';
import { createHttps } from '../arm/http.ts';
import { authorityFile, endpointFile } from '../arm/session.ts';
import type { CliContext } from '../context.ts';
import { programRoot, type Home } from '../home.ts';
import type { Tools } from '../setup/tools.ts';
import { startDetached } from './detached.ts';
import { lastError } from './log-files.ts';
import { prepareControl } from './principals.ts';
import { end, isAlive, readMark, type ProcessMark } from './process.ts';

/** It is started again each time; that often in a row, it won't come up by waiting. */
const endsBeforeGivingUp = 2;

export const controlLog = (home: Home): string => join(home.log, 'control.log');

/** The loop that keeps control running; undefined where there is none. */
export async function controlProcess(home: Home): Promise<ProcessMark | undefined> {
  const mark = await readMark(join(home.run, 'control.pid'));
  return isAlive(mark) ? mark : undefined;
}

/** Starts control unless it runs, and returns once it answers. True: it was started now. */
export async function ensureControl(cx: CliContext, tools: Tools): Promise<boolean> {
  const running = (await controlProcess(cx.home)) !== undefined;
  if (!running) {
    const root = process.getuid?.() === 0;
    await prepareControl(cx.home, root);
    const { home } = cx;
    const launch = controlCommand({
      program: programRoot,
      node: tools.node,
      folder: home.control,
      run: home.run,
      log: controlLog(home),
      root,
    });
    await startDetached(launch, controlLog(home));
  }
  try {
    await waitForControl(cx);
  } catch (error) {
    // A loop that can't succeed would go on for good: what was started for nothing ends with the command.
    const mark = running || cx.signal.aborted ? undefined : await controlProcess(cx.home);
    if (mark) await end(mark, { graceMs: 5_000, clock: cx.clock });
    throw error;
  }
  return !running;
}

async function waitForControl(cx: CliContext): Promise<void> {
  const log = controlLog(cx.home);
  const began = (await readFileIfThere(log))?.length ?? 0;
  let why = 'it has not opened its port yet';
  const check = async (): Promise<true | undefined> => {
    const answer = await answers().catch((error: Error) => void (why = error.message));
    if (answer) return answer;
    const said = ((await readFileIfThere(log)) ?? '').slice(began);
    if (said.split('"the role ended"').length > endsBeforeGivingUp) throw new TimeoutError('control', 0);
    return undefined;
  };
  try {
    await until('control to answer', check, { timeoutMs: 30_000, clock: cx.clock, signal: cx.signal });
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const said = (await lastError(log)) ?? why;
    const port = /^.*\bPort (\d+) .* is taken/.exec(said)?.[1];
    const next = port
      ? `End that program (ss -ltnp 'sport = :${port}' names it), or set another port in ${join(cx.home.control, 'config.json')}.`
      : 'sallyport logs control';
    throw new UserError('ControlNotUp', `Control does not come up. Its log ends with: ${said}`, next, error);
  }

  async function answers(): Promise<true | undefined> {
    const found = await findControl(cx.home);
    if (!found) return undefined;
    const https = createHttps(found.authority, cx.signal);
    const answer = await https({
      method: 'GET',
      url: `${found.endpoint}/metadata/endpoints?api-version=2022-09-01`,
      timeoutMs: 5_000,
    });
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
    if ((await readFileIfThere(authorityFile(cx.home))) !== found.authority)
      await writeFileAtomic(authorityFile(cx.home), found.authority);
    await writeJson(endpointFile(cx.home), { endpoint: found.endpoint });
    return true;
  }
}

/** Where control says it listens, and the authority it made for itself. */
async function findControl(
  home: Home,
): Promise<{ readonly endpoint: string; readonly authority: string } | undefined> {
  const config = await readJson<{ readonly port?: number }>(join(home.control, 'config.json'));
  const authority = await readFileIfThere(join(home.control, 'authority/ca.pem'));
  if (!config?.port || authority === undefined) return undefined;
  return { endpoint: `https://127.0.0.1:${config.port}`, authority };
}
