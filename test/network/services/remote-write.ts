/** One sample as Prometheus's remote write takes it: protobuf, in the frame of snappy that compresses nothing. */
export function remoteWrite(
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number,
  at: number,
): Buffer {
  const pairs = Object.entries({ __name__: name, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  const sample = Buffer.concat([Buffer.from([0x09]), number, Buffer.from([0x10]), varint(at)]);
  const series = Buffer.concat([
    ...pairs.map(([key, text]) =>
      field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(text))])),
    ),
    field(2, sample),
  ]);
  return literal(field(1, series));
}

const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value);
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}

/** A literal of up to 256 bytes, as one element. */
const literal = (content: Buffer): Buffer =>
  Buffer.concat([varint(content.length), Buffer.from([60 << 2, content.length - 1]), content]);
