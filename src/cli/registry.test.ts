import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from './parse.ts';
import { referencePage } from './reference.ts';
import { commands } from './registry.ts';

test('every command has a summary, an example that it understands, and help for each option', () => {
  for (const command of commands) {
    assert.match(command.summary, /^[A-Z].*\.$/, command.path);
    assert.ok(command.examples.length > 0, `${command.path} has no example`);
    for (const example of command.examples) {
      assert.ok(example.startsWith(command.path), `${command.path}: '${example}' is of another command`);
      const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
      const parsed = parse(commands, words, 80);
      assert.ok('command' in parsed && parsed.command.path === command.path, example);
    }
    for (const spec of Object.values(command.options))
      assert.match(spec.help, /\.$/, `${command.path} ${spec.flags.join(' ')}`);
  }
});

test('no two commands share a path, no two options of one a flag', () => {
  const paths = commands.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  for (const { path, options } of commands) {
    const flags = Object.values(options).flatMap((spec) => spec.flags);
    assert.equal(new Set(flags).size, flags.length, path);
  }
});

test('docs/reference/cli.md is what the registry says', () => {
  const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
  assert.equal(
    page,
    referencePage(commands),
    'Write it anew: node src/cli/reference.ts > docs/reference/cli.md',
  );
});
