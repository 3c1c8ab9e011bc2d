import type { Json } from '../../store/resource.ts';
import { ArmError } from '../errors.ts';

/** Deeper than any template goes, and shallow enough for every recursion over it. */
const deepest = 64;

/**
 * JSON as ARM reads a deployment: az splices a template's raw text into the body behind a key without quotes (contract §2.6), and
 * templates have comments, trailing commas and strings over several lines. Undefined where there is no text at all.
 */
export function parseLooseJson(text: string): Json | undefined {
  const reader = createReader(text);
  reader.space();
  if (reader.done()) return undefined;
  const value = reader.value(0);
  reader.space();
  if (!reader.done()) throw reader.flaw('there is more text after the end');
  return value;
}

function createReader(text: string) {
  let at = 0;

  const flaw = (what: string): ArmError => {
    const before = text.slice(0, at).split('\n');
    const where = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    return new ArmError(
      'InvalidRequestContent',
      `The request content is not valid JSON: ${what} (${where}).`,
    );
  };

  function space(): void {
    for (;;) {
      while (/\s|\uFEFF/.test(text[at] ?? '')) at++;
      if (text.startsWith('//', at)) {
        const end = text.indexOf('\n', at);
        at = end === -1 ? text.length : end;
      } else if (text.startsWith('/*', at)) {
        const end = text.indexOf('*/', at + 2);
        if (end === -1) throw flaw('a comment has no end');
        at = end + 2;
      } else return;
    }
  }

  const word = /[\p{L}\p{N}_$+.-]+/uy;
  function bare(): string {
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    if (found === undefined) throw flaw('a value or a name is expected');
    at += found.length;
    return found;
  }

  function string(): string {
    const quote = text[at]!;
    const parts: string[] = [];
    let from = ++at;
    for (;;) {
      const char = text[at];
      if (char === undefined) throw flaw('a string has no end');
      if (char === quote) break;
      if (char !== '\\') {
        at++;
        continue;
      }
      parts.push(text.slice(from, at), escaped());
      from = at;
    }
    parts.push(text.slice(from, at++));
    return parts.join('');
  }

  function escaped(): string {
    const char = text[at + 1] ?? '';
    if (char === 'u') {
      const code = /^[0-9a-fA-F]{4}/.exec(text.slice(at + 2, at + 6))?.[0];
      if (code === undefined) throw flaw('\\u is followed by four hexadecimal digits');
      at += 6;
      return String.fromCharCode(Number.parseInt(code, 16));
    }
    const plain = { '"': '"', "'": "'", '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[
      char
    ];
    if (plain === undefined) throw flaw(`'\\${char}' is no escape`);
    at += 2;
    return plain;
  }

  function list(depth: number): Json {
    const values: Json[] = [];
    for (at++, space(); text[at] !== ']'; space()) {
      values.push(value(depth + 1));
      space();
      if (text[at] === ',') at++;
      else if (text[at] !== ']') throw flaw("',' or ']' is expected");
    }
    at++;
    return values;
  }

  function object(depth: number): Json {
    const entries: [string, Json][] = [];
    for (at++, space(); text[at] !== '}'; space()) {
      const key = text[at] === '"' || text[at] === "'" ? string() : bare();
      space();
      if (text[at] !== ':') throw flaw("':' is expected");
      at++;
      space();
      const read = value(depth + 1);
      if (key !== '__proto__') entries.push([key, read]);
      space();
      if (text[at] === ',') at++;
      else if (text[at] !== '}') throw flaw("',' or '}' is expected");
    }
    at++;
    return Object.fromEntries(entries);
  }

  function value(depth: number): Json {
    if (depth > deepest) throw flaw(`it is nested deeper than ${deepest} levels`);
    const char = text[at];
    if (char === '{') return object(depth);
    if (char === '[') return list(depth);
    if (char === '"' || char === "'") return string();
    const said = bare();
    if (said === 'true' || said === 'false') return said === 'true';
    if (said === 'null') return null;
    if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(said) && Number.isFinite(Number(said))) return Number(said);
    throw flaw(`'${said.slice(0, 40)}' is no value`);
  }

  return { space, value, flaw, done: () => at >= text.length };
}
