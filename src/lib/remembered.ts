/**
 * A function of one text that is the same for ever, computed once for each of the texts that come again and again. `most` bounds
 * how many are kept, and `longest` how long one may be: what strangers send must not fill the memory.
 */
export function remembered<T>(
  compute: (text: string) => T,
  { most = 5_000, longest = 400 }: { readonly most?: number; readonly longest?: number } = {},
): (text: string) => T {
  let known = new Map<string, T>();
  return (text) => {
    const had = known.get(text);
    if (had !== undefined) return had;
    if (text.length > longest) return compute(text);
    // A copy: a part that was cut out of a long text keeps the whole of it in memory.
    const own = structuredClone(text);
    const value = compute(own);
    // All at once: who comes again is back at once, and nobody keeps an order.
    if (known.size >= most) known = new Map();
    known.set(own, value);
    return value;
  };
}
