/** A backup of a cluster. None is made in this version: the list is empty, and says so truly. */
import type { Kind } from '../../arm/kind.ts';

export const backupKind: Kind = {
  type: 'Microsoft.DocumentDB/cassandraClusters/backups',
  summary: 'A backup of a cluster.',
  name: { pattern: /^[0-9]{1,15}$/, rule: '1 to 15 digits' },
  tracked: false,
  operations: 'documentdb',
  verbs: ['GET'],
  bare: true,
  independent: true,
  accept: () => {
    throw new Error('A backup has no PUT.');
  },
  show: ({ properties }) => properties,
};
