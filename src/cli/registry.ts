import { createSchemaRegistry } from "../adapters/registry/schema-registry.ts";
import type { RegistryConfig } from "../config/config.ts";
import type { SchemaRegistry } from "../core/ports.ts";

/** The schema registry that a configuration names, or null. Nothing is asked of it before the first schema is. */
export function openRegistry(config: RegistryConfig | null): SchemaRegistry | null {
  return config === null ? null : createSchemaRegistry({ ...config, now: () => Date.now(), random: Math.random });
}
