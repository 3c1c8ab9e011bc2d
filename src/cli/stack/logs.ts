import { lstat } from 'node:fs/promises';
import { UserError } from '../../lib/errors.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { logFiles, readLog, type LogFile } from './log-files.ts';

export const logs = defineCommand({
  path: 'logs',
  summary: 'Show the end of a log, or list what logs there are.',
  examples: ['logs', 'logs control -f', 'logs vpn-test-cluster-operator --lines 200'],
  options: {
    follow: { kind: 'switch', flags: ['-f', '--follow'], help: 'Go on with what is written from now on.' },
    lines: { kind: 'integer', flags: ['--lines'], help: 'How many lines of the end; 40 when left out.' },
  },
  rest: { name: 'name', help: 'control, fabric, a machine, or a log of a machine.' },
  async run(cx, options, rest) {
    const all = await logFiles(cx.home);
    const present = await Promise.all(all.map(async (log) => ({ ...log, size: await sizeOf(log.path) })));
    const there = present.filter((log) => log.size !== undefined);
    if (rest.length === 0) {
      const value = there.map(({ name, path, size }) => ({ name, size, path }));
      return {
        value,
        human: value.map(({ name, size }) => `${name.padEnd(40)} ${Math.ceil(size! / 1024)} KiB`).join('\n'),
      };
    }
    const wanted = there.filter((log) =>
      rest.some(
        (name) => log.name === name || log.name.startsWith(`${name}/`) || log.name.endsWith(`/${name}`),
      ),
    );
    if (wanted.length === 0) {
      throw new UserError('NoSuchLog', `There is no log '${rest.join(' ')}'.`, 'sallyport logs lists them');
    }
    for (const log of wanted) {
      if (wanted.length > 1) cx.stdout(`==> ${log.name} <==\n`);
      cx.stdout(await tail(log.path, options.lines ?? 40));
    }
    if (options.follow) await follow(cx, wanted);
  },
});

const sizeOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    (found) => found.size,
    () => undefined,
  );

async function tail(path: string, lines: number): Promise<string> {
  const size = (await sizeOf(path)) ?? 0;
  const from = Math.max(0, size - lines * 2000);
  const text = await readLog(path, from, size);
  const kept = text.trimEnd().split('\n').slice(-lines);
  return kept.length === 1 && kept[0] === '' ? '' : `${kept.join('\n')}\n`;
}

/** Until Ctrl-C, which is how following is meant to end. */
async function follow(cx: CliContext, logs: readonly LogFile[]): Promise<void> {
  const read = new Map<string, number>();
  for (const log of logs) read.set(log.path, (await sizeOf(log.path)) ?? 0);
  while (!cx.signal.aborted) {
    for (const { name, path } of logs) {
      const size = (await sizeOf(path)) ?? 0;
      const from = Math.min(read.get(path)!, size) === read.get(path) ? read.get(path)! : 0; // it was cut: begin anew
      if (size > from) {
        const text = await readLog(path, from, size);
        cx.stdout(logs.length > 1 ? text.replace(/^(?=.)/gm, `${name}: `) : text);
      }
      read.set(path, size);
    }
    await cx.clock.sleep(300, cx.signal);
  }
}
