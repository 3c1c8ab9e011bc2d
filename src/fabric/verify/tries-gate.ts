/**
 * What is tried through the gate: data. Every try names an account that its operator may not reach, by the one connection that the
 * operator and its nodes may open; each has a control, the same means with a name that is let through.
 */
import type { VerifyGate } from '../../exchange/intents/fabric.ts';
import type { GateOrder } from './gate-probe.ts';

/** What is known to be answered by a service, in the same state: a plain request; Host in other letters and with its port; a body in
 *  chunks; two requests on one connection. */
export type GateControl = 'request' | 'host' | 'body' | 'two';

export interface GateSaying {
  readonly what: string;
  readonly control: GateControl;
  readonly order: GateOrder;
  /** How many answers of the allowed account's service it may bring: those to requests for that one. */
  readonly own: number;
  /** Answers to HEAD have no body. */
  readonly head: boolean;
}

export interface GateBatch {
  readonly account: VerifyGate['accounts'][number];
  /** The account that must not be reached. Null: nobody's, a made-up name. */
  readonly other: VerifyGate['others'][number] | null;
  readonly authority: string | null;
  /** The last is said after the tries, the others before them. */
  readonly controls: readonly GateSaying[];
  readonly tries: readonly GateSaying[];
  /** How many connections at a time. */
  readonly atOnce: number;
}

/** Less than an operator carries for one node. */
const mostAtOnce = 8;
/** Less than an operator carries for all of its nodes: what it cuts would look like the gate's doing. */
const mostOfMates = 100;

/** How many connections at a time each of so many nodes of one operator may have. */
export const atOnceOf = (mates: number): number =>
  Math.max(1, Math.min(mostAtOnce, Math.floor(mostOfMates / mates)));

export type GateWay = Pick<GateOrder, 'to' | 'port'>;

interface GateAims {
  readonly gate: VerifyGate;
  readonly account: GateBatch['account'];
  /** Where the gate is reached from this machine. */
  readonly way: GateWay;
  /** Which of several accounts of others to aim at. */
  readonly turn: number;
  /** What can be aimed at; left out: all accounts of others. */
  readonly others?: VerifyGate['others'];
}

interface Means {
  readonly what: string;
  readonly say: string;
  readonly sni: string | null;
  readonly more: Partial<GateSaying>;
  readonly tls: Partial<NonNullable<GateOrder['tls']>> | null;
}

/** Nobody's: no such name is ever given away. */
const nobody = 'attacker.example';
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

/** A request of HTTP/2 for another's account: a frame of headers that ends the stream, each a literal or from the fixed table. */
function http2(host: string, path: string): string {
  const text = (value: string): string => String.fromCharCode(value.length) + value;
  const headers = `\x82\x87\x04${text(path)}\x01${text(host)}`;
  return `${preface}\0\0${String.fromCharCode(headers.length)}\x01\x05\0\0\0\x01${headers}`;
}

/** Nothing at all where policies let nothing be asked that would change nothing: there is no control then. */
export function gateBatch({ gate, account, way, turn, others = gate.others }: GateAims): GateBatch {
  const other = others.length > 0 ? others[turn % others.length]! : null;
  const base = { account, other, authority: gate.authority, atOnce: mostAtOnce };
  const { ask } = account;
  if (!ask) return { ...base, controls: [], tries: [] };
  const good = account.name;
  const bad = other?.name ?? nobody;
  const address = other?.address ?? '192.0.2.10';
  const { method, path } = ask;
  const isHead = method === 'HEAD';
  // What could write is asked on a condition that nothing fulfils.
  const always = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? [] : ['If-Match: "sallyport-verify"'];
  const lines = (first: string, headers: readonly string[]): string =>
    `${[first, ...headers].join('\r\n')}\r\n\r\n`;
  const empty = ['PUT', 'POST', 'PATCH'].includes(method) ? ['Content-Length: 0'] : [];
  const request = (host: string, more: readonly string[] = [], target = path): string =>
    lines(`${method} ${target} HTTP/1.1`, [
      `Host: ${host}`,
      ...always,
      ...empty,
      ...more,
      'Connection: close',
    ]);
  const stays = (host: string): string =>
    lines(`${method} ${path} HTTP/1.1`, [`Host: ${host}`, ...always, ...empty]);
  const carries = (headers: readonly string[], body: string): string =>
    lines(`${method} ${path} HTTP/1.1`, [`Host: ${good}`, ...always, ...headers]) + body;
  const upper = (name: string): string => name.toUpperCase();
  const parent = (name: string): string => name.split('.').slice(1).join('.') || name;

  const list: Means[] = [];
  const add = (
    what: string,
    say: string,
    sni: string | null = good,
    more: Means['more'] = {},
    tls: Means['tls'] = {},
  ): void => void list.push({ what: `by the gate: ${what}`, say, sni, more, tls });

  // By the name that TLS is begun with.
  add("another account's name", request(bad), bad);
  add("another account's name in capitals", request(bad), upper(bad));
  add('a name with a dot at its end', request(bad), `${bad}.`);
  add('a wildcard as the name', request(bad), `*.${parent(bad)}`);
  add('a parent as the name', request(bad), parent(good));
  add('a child of the allowed name', request(bad), `${bad.split('.')[0]}.${good}`);
  add('an address as the name', request(address), address);
  add('no name', request(bad), null);
  add('no name, and the allowed Host', request(good, [`X-Forwarded-Host: ${bad}`]), null);
  add('TLS 1.2', request(bad), bad, {}, { version: 'TLSv1.2' });
  add('TLS 1.2, fronted', request(bad), good, {}, { version: 'TLSv1.2' });
  // By Host, behind the allowed name.
  add('domain fronting', request(bad));
  const written: readonly (readonly [string, string])[] = [
    ['in capitals', upper(bad)],
    ['with port 443', `${bad}:443`],
    ['with another port', `${bad}:8443`],
    ['with a dot at its end', `${bad}.`],
    ['with a wildcard', `*.${parent(bad)}`],
    ['by address', address],
    ['by IPv6 address', '[2001:db8::10]'],
    ['behind the allowed one', `${good},${bad}`],
    ['before the allowed one', `${bad},${good}`],
    ['with the allowed one as user', `${good}@${bad}`],
    ['as user of the allowed one', `${bad}@${good}`],
    ['behind a slash', `${good}/${bad}`],
    ['below the allowed one', `${good}.${bad}`],
  ];
  for (const [how, host] of written) add(`Host ${how}`, request(host), good, { control: 'host' });
  add('two Hosts', request(good, [`Host: ${bad}`]), good, { control: 'host' });
  add('two Hosts, the other first', request(bad, [`Host: ${good}`]), good, { control: 'host' });
  add('a second Host behind a blank', request(good, [`Host : ${bad}`]), good, { control: 'host' });
  add('a second Host in a folded line', request(good, [`X-A: b\r\n Host: ${bad}`]), good, {
    control: 'host',
    // One header of two lines, whatever stands in the second.
    own: 1,
  });
  add(
    'no Host',
    lines(`${method} https://${bad}${path} HTTP/1.1`, [...always, ...empty, 'Connection: close']),
  );
  // By the request's target.
  add('a server as target', request(good, [], `https://${bad}${path}`));
  add('a server as target and Host', request(bad, [], `https://${bad}${path}`));
  add('a server with its port as target', request(bad, [], `http://${bad}:443${path}`));
  add('a target without a scheme', request(good, [], `//${bad}${path}`), good, { own: 1 });
  for (const host of [bad, good])
    add(
      `CONNECT${host === good ? ' behind the allowed Host' : ''}`,
      lines(`CONNECT ${bad}:443 HTTP/1.1`, [`Host: ${host}`]),
    );
  add('CONNECT to an address', lines(`CONNECT ${address}:443 HTTP/1.1`, [`Host: ${address}`]));
  // By another protocol.
  add('HTTP/2 (ALPN)', http2(bad, path), good, {}, { alpn: ['h2'] });
  add('HTTP/2 (ALPN), by the other name', http2(bad, path), bad, {}, { alpn: ['h2', 'http/1.1'] });
  add('HTTP/2 (prior knowledge)', http2(bad, path), good, {}, { alpn: ['http/1.1'] });
  add(
    'an upgrade to HTTP/2',
    request(good, ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']) + http2(bad, path),
  );
  add('an upgrade to a tunnel', request(good, [`Upgrade: ${bad}`]) + request(bad));
  // By headers that services and proxies take for another host.
  const headers = ['X-Forwarded-Host', 'X-Original-Host', 'X-Host'].map((name) => `${name}: ${bad}`);
  for (const header of [
    ...headers,
    `Forwarded: host=${bad}`,
    `X-Original-URL: https://${bad}/`,
    `X-Rewrite-URL: https://${bad}/`,
  ])
    add(`disguise by ${header.split(':')[0]}`, request(good, [header]));
  // Behind a body, or behind a request that is let through.
  const inner = request(bad);
  const chunks = `0\r\n\r\n${inner}`;
  const two = { control: 'two', own: 1 } as const;
  const body = { control: 'body', own: 1 } as const;
  add('a second request on the connection', stays(good) + inner, good, two);
  add('a second request behind chunks', carries(['Transfer-Encoding: chunked'], chunks), good, two);
  add(
    'smuggled by length and chunks',
    carries([`Content-Length: ${chunks.length}`, 'Transfer-Encoding: chunked'], chunks),
    good,
    body,
  );
  add(
    'smuggled by chunks and length',
    carries(['Transfer-Encoding: chunked', 'Content-Length: 4'], chunks),
    good,
    body,
  );
  add(
    'smuggled by two lengths',
    carries(['Content-Length: 0', `Content-Length: ${inner.length}`], inner),
    good,
    body,
  );
  for (const how of ['xchunked', 'identity, chunked', '\x0bchunked', 'chunked, identity'])
    add(
      `smuggled by chunks called ${JSON.stringify(how)}`,
      carries([`Transfer-Encoding: ${how}`, `Content-Length: ${chunks.length}`], chunks),
      good,
      body,
    );
  // Without TLS.
  add('plain HTTP', request(bad), null, {}, null);
  add('plain HTTP, a server as target', request(bad, [], `http://${bad}${path}`), null, {}, null);
  add('plain CONNECT', lines(`CONNECT ${bad}:443 HTTP/1.1`, [`Host: ${bad}`]), null, {}, null);
  add('the PROXY protocol', `PROXY TCP4 ${address} ${address} 443 443\r\n${request(bad)}`, null, {}, null);
  add('SOCKS', `\x05\x01\0\x05\x01\0\x03${String.fromCharCode(bad.length)}${bad}\x01\xbb`, null, {}, null);

  const saying = (id: string, one: Means): GateSaying => ({
    ...{ what: one.what, control: 'request', own: 0, head: isHead },
    ...one.more,
    order: {
      ...{ id, to: way.to, port: way.port, say: one.say },
      tls: one.tls && { sni: one.sni, alpn: [], version: 'TLSv1.3', ...one.tls },
    },
  });
  const control = (id: string, kind: GateControl, say: string, own = 1): GateSaying => ({
    ...saying(id, { what: kind, say, sni: good, more: {}, tls: {} }),
    ...{ control: kind, own },
  });
  return {
    ...base,
    controls: [
      control('c1', 'request', request(good)),
      control('c2', 'host', request(`${upper(good)}:443`)),
      control('c3', 'body', carries(['Transfer-Encoding: chunked', 'Connection: close'], '0\r\n\r\n')),
      control('c4', 'two', stays(good) + request(good), 2),
      control('c5', 'request', request(good)),
    ],
    tries: list.map((one, n) => saying(`g${n + 1}`, one)),
  };
}
