/** Answers of HTTP/1, one after the other, as they came back on a connection. Pure. */
export interface HttpAnswer {
  readonly status: number;
  /** The lines before the body, as they came. */
  readonly head: string;
  /** In lower case; of several of one name, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Undefined: there is something that is no answer of HTTP/1. 100 is left out; other interim answers stand for themselves. `head`: HEAD was
 * asked for, and no answer to it has a body; what is no answer to it has one all the same, as to CONNECT or to what can't be read.
 */
export function readAnswers(bytes: string, head: boolean): readonly HttpAnswer[] | undefined {
  const answers: HttpAnswer[] = [];
  let rest = bytes;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const lead = end < 0 ? rest : rest.slice(0, end);
    const [first = '', ...lines] = lead.split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
    if (!status) return undefined;
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    rest = end < 0 ? '' : rest.slice(end + 4);
    if (status === 100) continue;
    const hasNone = (status < 200 && status !== 101) || status === 204 || status === 304;
    const isEmpty = hasNone || (head && (rest === '' || rest.startsWith('HTTP/1.')));
    const [body, after] = isEmpty ? ['', rest] : takeBody(headers, rest);
    answers.push({ status, head: lead, headers, body });
    rest = after;
  }
  return answers;
}

/** What belongs to an answer, and what follows it. One that says no length reaches to the end. */
function takeBody(headers: HttpAnswer['headers'], rest: string): readonly [string, string] {
  if (/chunked/i.test(headers['transfer-encoding'] ?? '')) return takeChunks(rest);
  const length = headers['content-length'];
  if (length === undefined || !/^\d+$/.test(length)) return [rest, ''];
  return [rest.slice(0, Number(length)), rest.slice(Number(length))];
}

function takeChunks(text: string): readonly [string, string] {
  let body = '';
  let rest = text;
  for (;;) {
    const size = /^([0-9a-f]+)[^\r\n]*\r\n/i.exec(rest);
    if (!size) return [body, ''];
    const length = parseInt(size[1]!, 16);
    rest = rest.slice(size[0].length);
    if (length === 0) {
      const end = rest.startsWith('\r\n') ? 2 : rest.indexOf('\r\n\r\n') + 4;
      return [body, end < 4 && end !== 2 ? '' : rest.slice(end)];
    }
    body += rest.slice(0, length);
    rest = rest.slice(length + 2);
  }
}
