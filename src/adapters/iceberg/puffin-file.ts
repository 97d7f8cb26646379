import { parseLosslessJson, writeLosslessJson } from "./lossless-json.ts";

/** A piece of statistics of one snapshot. */
export interface PuffinBlob {
  readonly type: string;
  /** Ids of the fields that it is about. */
  readonly fields: readonly number[];
  readonly bytes: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
  /** How the bytes are compressed; absent: they are not. */
  readonly codec?: string;
  /** The snapshot that it was computed from; absent: the file's. */
  readonly snapshot?: PuffinSnapshot;
}

/** The snapshot that blobs were computed from. */
export interface PuffinSnapshot {
  readonly snapshotId: bigint;
  readonly sequence: bigint;
}

/** A Puffin file and where its footer begins, counted from its end. */
export interface PuffinFile {
  readonly bytes: Uint8Array;
  readonly footerBytes: number;
}

const magic = Buffer.from("PFA1");

/** The bytes of a Puffin file with an uncompressed footer (Iceberg's Puffin specification). */
export function encodePuffin(blobs: readonly PuffinBlob[], snapshot: PuffinSnapshot, createdBy: string): PuffinFile {
  let offset = magic.length;
  const described = blobs.map(({ type, fields, bytes, properties, codec, snapshot: own = snapshot }) => {
    const place = { offset, length: bytes.length };
    offset += bytes.length;
    const compressed = codec === undefined ? {} : { "compression-codec": codec };
    return { type, fields, "snapshot-id": own.snapshotId, "sequence-number": own.sequence, ...place, ...compressed, properties };
  });
  const payload = Buffer.from(writeLosslessJson({ blobs: described, properties: { "created-by": createdBy } }));
  const end = Buffer.alloc(8);
  end.writeInt32LE(payload.length);
  const footer = Buffer.concat([magic, payload, end, magic]);
  return { bytes: Buffer.concat([magic, ...blobs.map((blob) => blob.bytes), footer]), footerBytes: footer.length };
}

/** A blob as a footer describes it. */
interface DescribedBlob {
  readonly type: string;
  readonly fields: readonly number[];
  readonly "snapshot-id": bigint;
  readonly "sequence-number": bigint;
  readonly offset: number;
  readonly length: number;
  readonly "compression-codec"?: string | null;
  readonly properties?: Readonly<Record<string, string>> | null;
}

/** The blobs of a Puffin file, compressed as they are. Throws RangeError or SyntaxError on bytes that are none, and on a compressed footer. */
export function decodePuffin(bytes: Uint8Array): (PuffinBlob & { readonly snapshot: PuffinSnapshot })[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloadEnd = file.length - 12;
  if (payloadEnd < 2 * magic.length || !file.subarray(0, 4).equals(magic) || !file.subarray(-4).equals(magic))
    throw new RangeError("a Puffin file begins and ends with PFA1");
  if (file.readUInt32LE(payloadEnd + 4) !== 0) throw new RangeError("its footer is compressed");
  const start = payloadEnd - file.readInt32LE(payloadEnd);
  if (start < 2 * magic.length || start > payloadEnd || !file.subarray(start - 4, start).equals(magic))
    throw new RangeError("its footer has another length");
  const { blobs = [] } = parseLosslessJson(file.toString("utf8", start, payloadEnd)) as { readonly blobs?: readonly DescribedBlob[] };
  return blobs.map(({ type, fields, offset, length, properties, ...rest }) => {
    if (offset < magic.length || length < 0 || offset + length > start - magic.length)
      throw new RangeError(`blob ${type} is beyond its file`);
    const codec = rest["compression-codec"] ?? null;
    return {
      type,
      fields,
      bytes: file.subarray(offset, offset + length),
      properties: properties ?? {},
      ...(codec !== null && { codec }),
      snapshot: { snapshotId: rest["snapshot-id"], sequence: rest["sequence-number"] },
    };
  });
}
