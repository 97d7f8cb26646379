import type { FieldCount, FieldCounts } from "../../core/profile.ts";
import { jsonTypes } from "../../core/profile.ts";
import type { ByteReader } from "../byte-reader.ts";
import { corrupt } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";

/** Fields that are told apart at most: of more, the most frequent. */
export const fieldsMax = 1024;
const pathBytesMax = 65_536;
const countMax = Number.MAX_SAFE_INTEGER;

/** The counts of both samples together. */
export function mergeFieldCounts(a: FieldCounts, b: FieldCounts): FieldCounts {
  const merged = new Map(a.fields.map((field) => [field.path, field]));
  for (const field of b.fields) {
    const before = merged.get(field.path);
    const types = before === undefined ? field.types : field.types.map((count, i) => count + (before.types[i] as number));
    merged.set(field.path, { path: field.path, types });
  }
  return { records: a.records + b.records, squares: a.squares + b.squares, fields: boundFields([...merged.values()]) };
}

/** Ascending by path; of more than `fieldsMax` the most frequent. */
export function boundFields(fields: readonly FieldCount[]): readonly FieldCount[] {
  const byPath = (a: FieldCount, b: FieldCount): number => (a.path < b.path ? -1 : 1);
  if (fields.length <= fieldsMax) return fields.toSorted(byPath);
  return fields
    .toSorted((a, b) => presenceOf(b) - presenceOf(a) || byPath(a, b))
    .slice(0, fieldsMax)
    .toSorted(byPath);
}

/** Records that had a field, whatever its type. */
export function presenceOf({ types }: FieldCount): number {
  return types.reduce((sum, count) => sum + count, 0);
}

/** Records, squares, the number of fields, then each one's path and counts. */
export function writeFieldCounts(out: ByteWriter, { records, squares, fields }: FieldCounts): void {
  for (const count of [records, squares, fields.length]) out.varint(count);
  for (const { path, types } of fields) {
    out.text(path);
    for (const count of types) out.varint(count);
  }
}

/** The inverse of `writeFieldCounts`; throws PROFILE_CORRUPT. */
export function readFieldCounts(from: ByteReader): FieldCounts {
  const [records, squares, size] = [from.varint(countMax), from.varint(countMax), from.varint(fieldsMax)];
  const fields = Array.from({ length: size }, () => {
    const path = from.text(pathBytesMax);
    return { path, types: jsonTypes.map(() => from.varint(countMax)) };
  });
  for (const [i, field] of fields.entries()) {
    const before = fields[i - 1];
    if (presenceOf(field) > records || (before !== undefined && before.path >= field.path))
      throw corrupt("its fields contradict themselves");
  }
  return { records, squares, fields };
}
