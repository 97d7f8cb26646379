import { writeLosslessJson } from "./lossless-json.ts";

/** A piece of statistics of one snapshot. */
export interface PuffinBlob {
  readonly type: string;
  /** Ids of the fields that it is about. */
  readonly fields: readonly number[];
  readonly bytes: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
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
  const described = blobs.map(({ type, fields, bytes, properties }) => {
    const place = { offset, length: bytes.length };
    offset += bytes.length;
    return { type, fields, "snapshot-id": snapshot.snapshotId, "sequence-number": snapshot.sequence, ...place, properties };
  });
  const payload = Buffer.from(writeLosslessJson({ blobs: described, properties: { "created-by": createdBy } }));
  const end = Buffer.alloc(8);
  end.writeInt32LE(payload.length);
  const footer = Buffer.concat([magic, payload, end, magic]);
  return { bytes: Buffer.concat([magic, ...blobs.map((blob) => blob.bytes), footer]), footerBytes: footer.length };
}
