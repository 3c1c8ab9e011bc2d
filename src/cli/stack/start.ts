import type { CliContext } from '../context.ts';
import { setUp } from '../setup/set-up.ts';
import { controlProcess, ensureControl } from './control.ts';
import { ensureFabric, fabricProcess } from './fabric.ts';

/** Sets up and starts what doesn't run. True: something was started. Call it under the lock. */
export async function start(cx: CliContext, say: (text: string) => void): Promise<boolean> {
  const running =
    (await controlProcess(cx.home)) !== undefined && (await fabricProcess(cx.home)) !== undefined;
  const tools = await setUp(cx, { say, starting: !running });
  const control = await ensureControl(cx, tools);
  if (control) say('control is up');
  const fabric = await ensureFabric(cx, tools);
  if (fabric) say('the fabric is up');
  return control || fabric;
}
