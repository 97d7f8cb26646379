import { createHash } from "node:crypto";
import type { ColumnProfile, Profile } from "../core/profile.ts";
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readWatched, watchedMask, writeWatched } from "./watched/watched-format.ts";
import {
  readDistinct,
  readMoments,
  readQuantiles,
  readTop,
  writeDistinct,
  writeMoments,
  writeQuantiles,
  writeTop,
} from "./sketch-format.ts";

/** `SLPF`, and the version. */
const magic = Uint8Array.of(0x53, 0x4c, 0x50, 0x46, 2);
const checksumLength = 8;
const kinds = ["boolean", "number", "time", "text", "binary", "json", "uuid"] as const satisfies readonly ColumnProfile["kind"][];
const countMax = Number.MAX_SAFE_INTEGER;
const columnsMax = 10_000;
const pathBytesMax = 65_536;
const textBytesMax = 1024;
/** Longest encoded profile that is read. */
const profileBytesMax = 256 * 1024 * 1024;

/** Which optional parts a column has, one bit each. */
const Part = { min: 1, max: 2, moments: 4, quantiles: 8, top: 16, lengths: 32, watched: 64 } as const;

/** A profile as bytes, the same for equal profiles; `docs/reference/profile-format.md` describes them. */
export function encodeProfile(profile: Profile): Uint8Array {
  const out = new ByteWriter();
  out.bytes(magic);
  out.varint(profile.rows);
  out.varint(profile.columns.size);
  for (const column of profile.columns.values()) writeColumn(out, column);
  const body = out.finish();
  out.bytes(checksum(body));
  return out.finish();
}

function checksum(body: Uint8Array): Uint8Array {
  return createHash("sha256").update(body).digest().subarray(0, checksumLength);
}

function writeColumn(out: ByteWriter, column: ColumnProfile): void {
  out.text(column.path);
  out.byte(kinds.indexOf(column.kind));
  for (const count of [column.count, column.nulls, column.missing, column.nan]) out.varint(count);
  const { min, max, moments, quantiles, top, lengths } = column;
  const watched = column.watched ?? {};
  out.byte(
    (min === null ? 0 : Part.min) |
      (max === null ? 0 : Part.max) |
      (moments === null ? 0 : Part.moments) |
      (quantiles === null ? 0 : Part.quantiles) |
      (top === null ? 0 : Part.top) |
      (lengths === null ? 0 : Part.lengths) |
      (watchedMask(watched) === 0 ? 0 : Part.watched),
  );
  if (min !== null) out.text(min);
  if (max !== null) out.text(max);
  if (moments !== null) writeMoments(out, moments);
  if (quantiles !== null) writeQuantiles(out, quantiles);
  writeDistinct(out, column.distinct);
  if (top !== null) writeTop(out, top);
  if (lengths !== null) writeMoments(out, lengths);
  if (watchedMask(watched) !== 0) writeWatched(out, watched);
}

/**
 * The inverse of `encodeProfile`. Throws PROFILE_CORRUPT for bytes of another format or version, or damaged, or beyond the format's limits. Those that this process
 * made and never let go (`isFresh`) can't be damaged: their checksum is not asked.
 */
export function decodeProfile(bytes: Uint8Array, isFresh = false): Profile {
  if (bytes.length > profileBytesMax) throw corrupt(`it has ${bytes.length} bytes, more than ${profileBytesMax}`);
  if (bytes.length < magic.length + checksumLength) throw corrupt("it ends too early");
  if (magic.some((byte, i) => bytes[i] !== byte)) throw corrupt("it is of another format or version");
  const body = bytes.subarray(0, bytes.length - checksumLength);
  const expected = bytes.subarray(body.length);
  if (!isFresh && checksum(body).some((byte, i) => expected[i] !== byte)) throw corrupt("its checksum does not fit");
  const from = new ByteReader(body.subarray(magic.length));
  const rows = from.varint(countMax);
  const columns = new Map<string, ColumnProfile>();
  const columnCount = from.varint(columnsMax);
  for (let i = 0; i < columnCount; i++) {
    const column = readColumn(from);
    if (columns.has(column.path)) throw corrupt("a column stands in it twice");
    columns.set(column.path, column);
  }
  if (from.left > 0) throw corrupt("something follows its end");
  return { rows, columns };
}

function readColumn(from: ByteReader): ColumnProfile {
  const path = from.text(pathBytesMax);
  const kind = kinds[from.byte()];
  if (kind === undefined) throw corrupt("a column is of an unknown kind");
  const [count, nulls, missing, nan] = [from.varint(countMax), from.varint(countMax), from.varint(countMax), from.varint(countMax)];
  if (nulls + missing + nan > count) throw corrupt("a column's counts do not add up");
  const parts = from.byte();
  if (parts > 127) throw corrupt("a column has unknown parts");
  const has = (part: number): boolean => (parts & part) !== 0;
  return {
    path,
    kind,
    count,
    nulls,
    missing,
    nan,
    min: has(Part.min) ? from.text(textBytesMax) : null,
    max: has(Part.max) ? from.text(textBytesMax) : null,
    moments: has(Part.moments) ? readMoments(from) : null,
    quantiles: has(Part.quantiles) ? readQuantiles(from) : null,
    distinct: readDistinct(from),
    top: has(Part.top) ? readTop(from) : null,
    lengths: has(Part.lengths) ? readMoments(from) : null,
    ...(has(Part.watched) && { watched: readWatched(from) }),
  };
}
