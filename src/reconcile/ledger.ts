/**
 * Which piece of work has read what: a change leads to the work that it concerns, and to nothing else. It must know nothing
 * of what a piece does or of what is read: both are names.
 */
export interface Ledger {
  /** Runs a piece, and notes what it reads; what it read the last time no longer counts. */
  run<T>(piece: string, work: () => T): T;
  /**
   * What a piece came to, as long as nothing that it read has changed. Whoever asks for it in a piece of its own has read it:
   * what it came to before is forgotten with the first change, and all that was made of it with that.
   */
  memo<T>(piece: string, make: () => T): T;
  /** The pieces that are running read this. */
  reads(what: string): void;
  /** Tells of each piece that has read it, those included that are running: they may have read it before it changed. */
  changed(what: string): void;
  /** A piece that is never run again. */
  forget(piece: string): void;
}

/** `concerned` hears of a piece once for each change; a memo is made again only when somebody asks for it. */
export function createLedger(concerned: (piece: string) => void): Ledger {
  const readers = new Map<string, Set<string>>();
  const read = new Map<string, Set<string>>();
  const memos = new Map<string, unknown>();
  let running: string | undefined;

  function reads(what: string): void {
    if (running === undefined) return;
    const noted = read.get(running);
    if (noted === undefined || noted.has(what)) return;
    noted.add(what);
    const known = readers.get(what);
    if (known) known.add(running);
    else readers.set(what, new Set([running]));
  }

  function forget(piece: string): void {
    memos.delete(piece);
    for (const what of read.get(piece) ?? []) {
      const known = readers.get(what);
      known?.delete(piece);
      if (known?.size === 0) readers.delete(what);
    }
    read.delete(piece);
  }

  function run<T>(piece: string, work: () => T): T {
    forget(piece);
    read.set(piece, new Set());
    const outer = running;
    running = piece;
    try {
      return work();
    } finally {
      running = outer;
    }
  }

  function changed(what: string): void {
    // A copy: whoever hears of it may run a piece, which reads it anew.
    for (const piece of [...(readers.get(what) ?? [])]) {
      if (memos.has(piece)) {
        forget(piece);
        changed(piece);
      }
      concerned(piece);
    }
  }

  return {
    run,
    memo<T>(piece: string, make: () => T): T {
      reads(piece);
      const had = memos.get(piece);
      if (had !== undefined || memos.has(piece)) return had as T;
      const made = run(piece, make);
      memos.set(piece, made);
      return made;
    },
    reads,
    changed,
    forget,
  };
}
