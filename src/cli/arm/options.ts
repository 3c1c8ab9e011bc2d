import type { OptionSpec } from '../command.ts';

/** Options that many commands share, spelled as az spells them. */
export const group = {
  kind: 'text',
  flags: ['-g', '--resource-group'],
  help: 'Name of the resource group.',
  required: true,
} as const satisfies OptionSpec;
export const optionalGroup = {
  kind: 'text',
  flags: ['-g', '--resource-group'],
  help: 'Name of the resource group.',
} as const satisfies OptionSpec;
export const location = {
  kind: 'text',
  flags: ['-l', '--location'],
  help: 'Region; the group’s when left out.',
} as const satisfies OptionSpec;
export const tags = { kind: 'pairs', flags: ['--tags'], help: 'Tags.' } as const satisfies OptionSpec;
export const ids = {
  kind: 'list',
  flags: ['--ids'],
  help: 'Resource ids, instead of group and names.',
} as const satisfies OptionSpec;
export const noWait = {
  kind: 'switch',
  flags: ['--no-wait'],
  help: 'Return as soon as the request is accepted.',
} as const satisfies OptionSpec;
export const yes = {
  kind: 'switch',
  flags: ['-y', '--yes'],
  help: 'Do not ask for confirmation.',
} as const satisfies OptionSpec;
export const cluster = {
  kind: 'text',
  flags: ['-c', '--cluster-name'],
  help: 'Name of the cluster.',
} as const satisfies OptionSpec;
export const dataCenter = {
  kind: 'text',
  flags: ['-d', '--data-center-name'],
  help: 'Name of the data centre.',
} as const satisfies OptionSpec;

export const named = (what: string, ...more: readonly string[]) =>
  ({
    kind: 'text',
    flags: ['-n', '--name', ...more],
    help: `Name of the ${what}.`,
  }) as const satisfies OptionSpec;
