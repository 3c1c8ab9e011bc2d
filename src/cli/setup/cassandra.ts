import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exec, ExecError } from '../../lib/exec.ts';
import { UserError } from '../../lib/errors.ts';
import { readJson, writeJson } from '../../lib/files.ts';

export interface JarSource {
  /** setup/cassandra: pom.xml and jars.sha256. */
  readonly source: string;
  /** tools/cassandra: the jars go to lib/ in it. */
  readonly folder: string;
  readonly cache: string;
  readonly javaHome: string;
  readonly maven: string;
  readonly signal: AbortSignal;
}

/** `name → sha256`, from the lines of sha256sum. */
export function parseSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line);
    if (match) sums.set(match[2]!, match[1]!);
  }
  return sums;
}

/** What is not as the list says: files missing, changed, or not in it. Empty: exactly these. */
export async function differences(
  folder: string,
  sums: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const present = new Set(await readdir(folder).catch(() => [] as string[]));
  const wrong: string[] = [];
  for (const [name, sum] of sums) {
    if (!present.has(name)) wrong.push(`${name} is missing`);
    else if ((await sha256(join(folder, name))) !== sum) wrong.push(`${name} has another checksum`);
  }
  for (const name of present) if (!sums.has(name)) wrong.push(`${name} is not in the list`);
  return wrong;
}

/** Whether the jars are there as they were when their checksums were last compared: same list, sizes and times. */
export async function jarsReady(options: Pick<JarSource, 'source' | 'folder'>): Promise<boolean> {
  const stamp = await readJson<Record<string, string>>(join(options.folder, 'checked.json'));
  if (!stamp) return false;
  const now = await stampOf(options).catch(() => undefined);
  return now !== undefined && JSON.stringify(stamp) === JSON.stringify(now);
}

/** Fetches them with Maven, and puts them in place only when every one is as the list says. */
export async function fetchJars(options: JarSource): Promise<void> {
  const sums = parseSums(await readFile(join(options.source, 'jars.sha256'), 'utf8'));
  const lib = join(options.folder, 'lib');
  if ((await differences(lib, sums)).length > 0) {
    const draft = join(options.folder, 'lib.new');
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await runMaven(options, draft);
    const wrong = await differences(draft, sums);
    if (wrong.length > 0) {
      throw new UserError(
        'JarsNotTrusted',
        `What Maven fetched is not what setup/cassandra/jars.sha256 lists: ${wrong.slice(0, 5).join('; ')}.`,
        'Check the Maven repository or mirror that your settings.xml names.',
      );
    }
    for (const name of sums.keys()) await chmod(join(draft, name), 0o644);
    await rm(lib, { recursive: true, force: true });
    await rename(draft, lib);
    await rm(join(options.cache, 'maven'), { recursive: true, force: true });
  }
  await writeJson(join(options.folder, 'checked.json'), await stampOf(options));
}

async function runMaven(options: JarSource, into: string): Promise<void> {
  const args = [
    '-B',
    '-q',
    '-f',
    join(options.source, 'pom.xml'),
    `-Dmaven.repo.local=${join(options.cache, 'maven')}`,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${into}`,
  ];
  try {
    await exec(options.maven, args, {
      timeoutMs: 900_000,
      signal: options.signal,
      env: { ...process.env, JAVA_HOME: options.javaHome },
    });
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    throw new UserError(
      'MavenFailed',
      `Maven could not fetch Cassandra: ${error.message.slice(-800)}`,
      'Mend what Maven names (often the network or its proxy), then run the same command again.',
      error,
    );
  }
}

async function stampOf(options: Pick<JarSource, 'source' | 'folder'>): Promise<Record<string, string>> {
  const stamp: Record<string, string> = { list: await sha256(join(options.source, 'jars.sha256')) };
  const lib = join(options.folder, 'lib');
  for (const name of (await readdir(lib)).sort()) {
    const { size, mtimeMs } = await stat(join(lib, name));
    stamp[name] = `${size} ${mtimeMs}`;
  }
  return stamp;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
