import type { OptionSpec } from '../command.ts';

/** Options of `create` and of `update`, spelled as az spells them. */
export const nodeCount = {
  kind: 'text',
  flags: ['-n', '--node-count'],
  help: 'How many nodes: 3 or more.',
} as const satisfies OptionSpec;
export const backupKey = {
  kind: 'text',
  flags: ['-p', '--backup-storage-customer-key-uri'],
  help: 'Key that backups are encrypted with.',
} as const satisfies OptionSpec;
