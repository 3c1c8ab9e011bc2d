/** A table as it shall be, whole: it is replaced, never edited. */
export interface NftTable {
  readonly family: 'inet' | 'netdev';
  readonly name: string;
  /** What stands between the table's braces. */
  readonly body: string;
}
