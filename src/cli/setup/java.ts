import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Probe } from './probe.ts';

const wanted = 17;

/**
 * The home of a JVM 17, found by what it says of itself: a `java` on PATH may be of any version, and Cassandra 5.0 dies
 * on 21 and later.
 */
export async function findJavaHome(
  env: NodeJS.ProcessEnv,
  probe: Probe,
  folder = '/usr/lib/jvm',
): Promise<string | undefined> {
  const candidates: string[] = [];
  if (env['JAVA_HOME']) candidates.push(env['JAVA_HOME']);
  const names = await readdir(folder).catch(() => [] as string[]);
  // Those that bear the number first: asking a JVM takes a tenth of a second.
  candidates.push(
    ...names
      .sort((a, b) => Number(b.includes('17')) - Number(a.includes('17')))
      .map((name) => join(folder, name)),
  );
  const onPath = await probe.which('java');
  if (onPath) candidates.push(dirname(dirname(await realpath(onPath))));
  const asked = new Set<string>();
  for (const candidate of candidates) {
    const home = await realpath(candidate).catch(() => undefined);
    if (home === undefined || asked.has(home)) continue;
    asked.add(home);
    if ((await javaVersion(join(home, 'bin/java'), probe)) === wanted) return home;
  }
  return undefined;
}

async function javaVersion(java: string, probe: Probe): Promise<number | undefined> {
  const said = await probe.say(java, ['-version']);
  const version = said && /version "(\d+)/.exec(said);
  return version ? Number(version[1]) : undefined;
}
