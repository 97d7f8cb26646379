import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { SchemaRegistry } from "../../core/ports.ts";
import type { RegisteredSchema, SchemaAnswer, SchemaId } from "../../core/registered-schema.ts";

const types: Readonly<Record<string, RegisteredSchema["type"]>> = { avsc: "avro", proto: "protobuf", json: "json" };

/**
 * A folder in the place of a registry, for judging records offline: `<id>.avsc`, `<id>.proto` or `<id>.json` is the schema of an id or GUID; files of other names are what schemas
 * refer to, by file name (without the ending for Avro's named types), in name order.
 */
export function createSchemaFolder(folder: string): SchemaRegistry {
  return { schema: (id) => readSchema(folder, id), close: () => Promise.resolve() };
}

async function readSchema(folder: string, id: SchemaId): Promise<SchemaAnswer> {
  try {
    const names = (await readdir(folder)).toSorted();
    const found = names.find((name) => name.replace(/\.[a-z]+$/, "") === id && endingOf(name) in types);
    if (found === undefined) return { found: false, fault: "unknown", message: `the folder ${folder} has no schema ${id}` };
    const ending = endingOf(found);
    const others = names.filter((name) => endingOf(name) === ending && !/^([0-9]+|[0-9a-f]{8}-[0-9a-f-]{27})\.[a-z]+$/.test(name));
    const references = await Promise.all(
      others.map(async (name) => ({
        name: ending === "avsc" ? name.slice(0, -".avsc".length) : name,
        text: await readFile(join(folder, name), "utf8"),
      })),
    );
    return {
      found: true,
      schema: { type: types[ending] as RegisteredSchema["type"], text: await readFile(join(folder, found), "utf8"), references },
    };
  } catch (cause) {
    throw new SluiceError("FILE_UNREADABLE", `the schemas in ${folder} can't be read: ${(cause as Error).message}`, { cause });
  }
}

function endingOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
