import { wrap } from '../output/wrap.ts';
import type { WhyValue } from './ask.ts';

/** The answer for people; where model and packet disagree, that first. */
export function renderWhy({ answer, packet, error }: WhyValue, width: number): string {
  const { from, to, protocol, port, reached, because, nextHop, owner, group } = answer;
  const named = (one: { readonly name: string; readonly address: string }): string =>
    one.name === one.address ? one.address : `${one.name} (${one.address})`;
  const flow = `${named(from)} → ${named(to)}, ${protocol}${port === null ? '' : ` ${port}`}`;
  const route = nextHop.route === null ? '' : `, by route '${nextHop.route}'`;
  const lines = [
    ...finding(packet),
    `${flow}: ${reached ? 'reached' : 'NOT reached'}`,
    because,
    ...(reached ? [] : [`Wall: ${answer.wall}${owner === null ? '' : `, the ${owner}'s`}`]),
    ...(group === null ? [] : [`Group: ${group}`]),
    `Next hop: ${nextHop.type}${nextHop.address === null ? '' : ` ${nextHop.address}`}${route}`,
    ...(answer.never === null ? [] : [`What would let it: ${answer.never}`]),
    ...(answer.change.length === 0 ? [] : ['What would let it:']),
  ].map((line) => wrap(line, width, '  '));
  // Lines to copy are not broken.
  return [
    ...lines,
    ...answer.change.map((line) => `  ${line}`),
    wrap(confirmed(packet, error), width, '  '),
  ].join('\n');
}

function finding(packet: WhyValue['packet']): readonly string[] {
  if (packet?.outcome === 'opened') return [`A WALL IS OPEN THAT SHOULD NOT BE: ${packet.text}.`, ''];
  if (packet?.outcome === 'shut')
    return [`SOMETHING THAT THE MODEL DOES NOT KNOW STOPS IT: ${packet.text}.`, ''];
  return [];
}

function confirmed(packet: WhyValue['packet'], error: WhyValue['error']): string {
  if (packet === null) return `Packet: none was sent. ${error?.message ?? ''}`.trim();
  switch (packet.outcome) {
    case 'agrees':
      return `Packet: confirmed, ${packet.text}`;
    case 'unproved':
      return `Packet: proves nothing, ${packet.text}`;
    case 'opened':
    case 'shut':
      return `Packet: DISAGREES, ${packet.text}. sallyport status and sallyport logs fabric say what is in place.`;
  }
}
