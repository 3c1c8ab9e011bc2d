/** What may stand where a rule speaks of addresses and ports. */
import { isIPv4, isIPv6 } from 'node:net';
import { regions } from '../../arm/subscriptions.ts';
import { formatPrefix, ipv4ToNumber, parsePrefix, sizeOf } from '../../lib/ip.ts';
import { formatServiceTag, serviceTag } from '../../network/security-rules.ts';
import type { Fields } from '../fields.ts';

/** A prefix, an address, a tag or `*`, as it is stored. */
export function readAddress(body: Fields, name: string, text: string, location: string | null): string {
  if (text === '*' || isIPv4(text)) return text;
  const prefix = parsePrefix(text);
  if (prefix) return formatPrefix(prefix);
  const inside = insideOf(text);
  if (inside !== undefined)
    return body.fail(name, `'${text}' has bits set behind its prefix length. Write ${inside}.`);
  if (isIPv6(text.split('/')[0]!)) return body.fail(name, `'${text}' is IPv6; there is IPv4 only.`);
  if (/^[\d./]+$/.test(text))
    return body.fail(name, `'${text}' is no IPv4 prefix. Write it like 10.0.2.0/24.`);
  const tag = serviceTag(text);
  if (!tag) {
    return body.fail(
      name,
      `'${text}' is neither an IPv4 prefix nor a known service tag. Tags are VirtualNetwork, Internet, AzureLoadBalancer, ` +
        'Storage, AzureKeyVault, AzureMonitor and others, with a region like Storage.eastus2 or without; * is any address.',
    );
  }
  if (tag.region !== null && tag.region !== location && !(tag.region in regions))
    return body.fail(name, `'${text}' names the region '${tag.region}', which is not known here.`);
  return formatServiceTag(tag);
}

/** The prefix that holds an address written with host bits. */
function insideOf(text: string): string | undefined {
  const [address, length] = text.split('/');
  if (!isIPv4(address!) || !/^\d{1,2}$/.test(length ?? '') || Number(length) > 32) return undefined;
  const value = ipv4ToNumber(address!);
  const size = sizeOf({ first: 0, length: Number(length) });
  return formatPrefix({ first: value - (value % size), length: Number(length) });
}

/** A stored address in the one form that networks speak: a single address as a prefix, a tag in its own case. */
export function canonicalPrefix(text: string): string {
  if (isIPv4(text)) return `${text}/32`;
  const tag = serviceTag(text);
  return tag ? formatServiceTag(tag) : text;
}

export function readPorts(body: Fields, name: string, text: string): string {
  if (text === '*') return text;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last > 65535)
    return body.fail(name, `'${text}' is no port, range or *. Write it like 443 or 8000-8080, up to 65535.`);
  if (first > last) return body.fail(name, `'${text}' ends before it begins.`);
  return match[2] === undefined ? `${first}` : `${first}-${last}`;
}
