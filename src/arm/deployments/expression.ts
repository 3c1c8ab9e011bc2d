/** Template expressions: `[concat(parameters('name'), '-nsg')]`. Parsed and evaluated by hand; nothing of a template is ever run. */
import { isObject } from '../request-body.ts';
import type { Json } from '../../store/resource.ts';
import { ArmError } from '../errors.ts';

export type Expression =
  | { readonly is: 'value'; readonly value: Json }
  | { readonly is: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly is: 'of'; readonly base: Expression; readonly key: Expression };

/** What an expression may call; `where` is the place in the template, for the error. */
export type Functions = Readonly<
  Record<string, ((values: readonly Json[], where: string) => Json) | undefined>
>;

const deepest = 32;
/** What templates can be made to grow to by naming a thing twice, again and again. */
export const largest = 1 << 20;

export const templateFlaw = (where: string, what: string): ArmError =>
  new ArmError('InvalidTemplate', `The template is invalid at ${where}: ${what}`, { target: where });

/** The value of any JSON of a template, expressions within it evaluated. */
export function evaluate(json: Json, functions: Functions, where: string): Json {
  if (typeof json === 'string') return evaluateText(json, functions, where);
  if (Array.isArray(json)) return json.map((one, at) => evaluate(one as Json, functions, `${where}[${at}]`));
  if (!isObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, evaluate(value ?? null, functions, `${where}.${key}`)]),
  );
}

function evaluateText(text: string, functions: Functions, where: string): Json {
  if (!text.startsWith('[') || !text.endsWith(']')) return text;
  // `[[` is a literal bracket.
  if (text.startsWith('[[')) return text.slice(1);
  return run(parseExpression(text.slice(1, -1), where), functions, where);
}

function run(expression: Expression, functions: Functions, where: string): Json {
  if (expression.is === 'value') return expression.value;
  if (expression.is === 'of') {
    const base = run(expression.base, functions, where);
    const key = run(expression.key, functions, where);
    const found =
      typeof key === 'number' && Array.isArray(base)
        ? (base[key] as Json | undefined)
        : typeof key === 'string' && isObject(base) && Object.hasOwn(base, key)
          ? base[key]
          : undefined;
    if (found === undefined)
      throw templateFlaw(where, `there is no '${String(key).slice(0, 60)}' in what it is taken from.`);
    return found;
  }
  const asked = expression.name.toLowerCase();
  const known = Object.entries(functions).find(([name]) => name.toLowerCase() === asked)?.[1];
  if (!known) {
    throw templateFlaw(
      where,
      `the function '${expression.name.slice(0, 60)}' is not known here. Known are ${Object.keys(functions).join(', ')}.`,
    );
  }
  const value = known(
    expression.arguments.map((one) => run(one, functions, where)),
    where,
  );
  if (JSON.stringify(value).length > largest) throw templateFlaw(where, 'its value is larger than 1 MiB.');
  return value;
}

export function parseExpression(text: string, where: string): Expression {
  let at = 0;
  const flaw = (what: string): ArmError =>
    templateFlaw(
      where,
      `the expression '[${text.slice(0, 100)}]' can't be read: ${what} at character ${at + 1}.`,
    );
  const space = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  const expect = (char: string): void => {
    space();
    if (text[at] !== char) throw flaw(`'${char}' is expected`);
    at++;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };

  function expression(depth: number): Expression {
    if (depth > deepest) throw flaw(`it is nested deeper than ${deepest} levels`);
    let base = primary(depth);
    for (;;) {
      space();
      if (text[at] === '.') {
        at++;
        const key = match(/[A-Za-z_]\w*/y);
        if (key === undefined) throw flaw('the name of a property is expected');
        base = { is: 'of', base, key: { is: 'value', value: key } };
      } else if (text[at] === '[') {
        at++;
        base = { is: 'of', base, key: expression(depth + 1) };
        expect(']');
      } else return base;
    }
  }

  function primary(depth: number): Expression {
    space();
    if (text[at] === "'") {
      const quoted = match(/'(?:[^']|'')*'/y);
      if (quoted === undefined) throw flaw('a string has no end');
      return { is: 'value', value: quoted.slice(1, -1).replaceAll("''", "'") };
    }
    const number = match(/-?\d+/y);
    if (number !== undefined) return { is: 'value', value: Number(number) };
    const name = match(/[A-Za-z_][\w.]*/y);
    if (name === undefined) throw flaw('a function, a string or a number is expected');
    expect('(');
    const values: Expression[] = [];
    for (space(); text[at] !== ')'; space()) {
      if (values.length > 0) expect(',');
      values.push(expression(depth + 1));
    }
    at++;
    return { is: 'call', name, arguments: values };
  }

  const parsed = expression(0);
  space();
  if (at < text.length) throw flaw('there is more text after its end');
  return parsed;
}
