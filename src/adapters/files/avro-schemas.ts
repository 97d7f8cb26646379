import { open } from "node:fs/promises";
import { SluiceError } from "../../core/errors.ts";
import type { SchemaRegistry } from "../../core/ports.ts";
import type { SchemaAnswer, SchemaId } from "../../core/registered-schema.ts";
import { type AvroFileSchema, readAvroFileSchema } from "./avro-rows.ts";
import type { InputFile } from "./file-list.ts";

/** The writers' schemas of the Avro files among some, in their order. Rejects with FILE_UNREADABLE. */
export async function readAvroSchemas(files: readonly InputFile[]): Promise<AvroFileSchema[]> {
  const schemas: AvroFileSchema[] = [];
  for (const { path, format } of files) {
    if (format !== "avro") continue;
    try {
      const handle = await open(path, "r");
      const chunks = handle.createReadStream({ highWaterMark: 1 << 16 });
      schemas.push(await readAvroFileSchema(chunks, path).finally(() => chunks.destroy()));
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      throw new SluiceError("FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
    }
  }
  return schemas;
}

/** Schemas of files in the place of a registry; what they lack is asked of `other`, which it closes. */
export function createFileSchemas(schemas: readonly AvroFileSchema[], other: SchemaRegistry | null): SchemaRegistry {
  const known = new Map<SchemaId, SchemaAnswer>(
    schemas.map(({ id, text }) => [id, { found: true, schema: { type: "avro", text, references: [] } }]),
  );
  return {
    schema: async (id) =>
      known.get(id) ??
      (await other?.schema(id)) ?? {
        found: false,
        fault: "unknown",
        message: `no Avro file of the source has the schema ${id} (put the file that the record came from back in its place)`,
      },
    close: async () => other?.close(),
  };
}
