import { createFileSchemas, readAvroSchemas } from "../adapters/files/avro-schemas.ts";
import { listInputFiles } from "../adapters/files/file-list.ts";
import { createSchemaRegistry } from "../adapters/registry/schema-registry.ts";
import type { Config, RegistryConfig } from "../config/config.ts";
import type { SchemaRegistry } from "../core/ports.ts";

/** The schema registry that a configuration names, or null. Nothing is asked of it before the first schema is. */
export function openRegistry(config: RegistryConfig | null): SchemaRegistry | null {
  return config === null ? null : createSchemaRegistry({ ...config, now: () => Date.now(), random: Math.random });
}

/** The schemas of a configuration's source: those that its Avro files bring, and its registry's. Rejects where the files can't be read. */
export async function openSourceRegistry({ source, registry }: Config): Promise<SchemaRegistry | null> {
  const schemas = source.kind === "files" ? await readAvroSchemas(await listInputFiles(source.paths, source.format ?? null)) : [];
  const other = openRegistry(registry);
  return schemas.length === 0 ? other : createFileSchemas(schemas, other);
}
