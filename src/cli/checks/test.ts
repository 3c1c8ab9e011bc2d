import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { programRoot } from '../home.ts';
import { installAzurite } from '../setup/azurite.ts';
import { gatePackage, monitorPackage } from '../setup/packages.ts';
import { createProbe } from '../setup/probe.ts';
import { createHomeFolders, setUp } from '../setup/set-up.ts';
import { alone } from '../stack/lock.ts';
import type { Plan } from './runner.ts';
import { stagesOf } from './stages.ts';

export const test = defineCommand({
  path: 'test',
  summary: 'Set up what is missing; check format, lint, types and dead code; run all tests.',
  examples: ['test', 'test --unit', 'test network/fabric'],
  options: { unit: { kind: 'switch', flags: ['--unit'], help: 'Leave out what starts machines.' } },
  rest: { name: 'pattern', help: 'Only test files whose path contains one of these.' },
  async run(cx, options, rest) {
    if ((await filesOf('src')).length === 0) {
      throw new UserError(
        'NoSources',
        'This copy has no sources and no tests.',
        'Run it in a clone of the repository.',
      );
    }
    const chosen = (files: readonly string[]): readonly string[] =>
      rest.length === 0 ? files : files.filter((file) => rest.some((part) => file.includes(part)));
    const unit = chosen(await filesOf('src'));
    const whole = options.unit ? [] : chosen(await filesOf('test'));
    const checks = rest.length === 0 ? [join(programRoot, 'dist/cli/checks/checks.js')] : [];
    if (unit.length + whole.length === 0)
      throw new UserError('NoTests', `No test file's path contains ${rest.join(' or ')}.`, 'sallyport test');
    const began = performance.now();
    await createHomeFolders(cx.home);
    const say = (text: string): void => cx.stderr(`${text}\n`);
    await alone(cx.home, 'test', async () => {
      const services = whole.length > 0;
      // Before set-up, which writes down which tools there are.
      if (services) await installAzurite(cx, createProbe(cx.env), say);
      await setUp(cx, { say, starting: false, also: services ? [gatePackage, monitorPackage] : [] });
    });
    const before = { 'set-up': performance.now() - began };
    const exitCode = await runTests(cx, { before, ...stagesOf(checks, unit, whole) });
    return { value: undefined, human: '', exitCode };
  },
});

async function runTests(cx: CliContext, plan: Plan): Promise<number> {
  const args = [join(programRoot, 'dist/cli/checks/runner.js'), JSON.stringify(plan)];
  const env = { ...cx.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' };
  const child = spawn(process.execPath, args, { cwd: programRoot, stdio: 'inherit', env });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const file of glob(`${folder}/**/*.test.ts`, { cwd: programRoot })) found.push(file);
  return found.sort();
}
