import type { AvroSchema } from "../core/avro/avro-schema.ts";
import type { Field } from "../core/schema.ts";

/** The member that a key which is one value, and not an object of several, stands in while it is decoded. */
export const wholeKey = "(key)";

/** Whether a key as a whole becomes one column. */
export function isWholeKey(fields: readonly Field[]): boolean {
  return fields.length === 1 && fields[0]?.sourceName === wholeKey;
}

/** The schema of a whole key as that of a record with one field: the bytes are the same. */
export function wholeKeySchema(schema: AvroSchema): AvroSchema {
  return { type: "record", name: wholeKey, aliases: [], fields: [{ name: wholeKey, aliases: [], schema, byDefault: undefined }] };
}
