import { readFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";
import type { JSONSchema } from "json-schema-to-typescript";

interface ObjectSchema {
  properties?: Record<string, ObjectSchema & { default?: unknown }>;
  required?: string[];
  [key: string]: unknown;
}

/** The TypeScript types of `schemas/config.schema.json` as they stand once defaults are filled in. */
export async function generateConfigTypes(schemaFile: URL): Promise<string> {
  const schema = JSON.parse(readFileSync(schemaFile, "utf8")) as ObjectSchema;
  requireDefaulted(schema);
  return compile(schema as JSONSchema, "ConfigDocument", {
    bannerComment: "/** Generated from schemas/config.schema.json by `npm run generate`: change that, not this. */",
    customName: (one) => (one.title === "Configuration" ? "ConfigDocument" : undefined),
    additionalProperties: false,
    format: false,
    ignoreMinAndMaxItems: true,
  });
}

/** After ajv has filled in defaults, a property that has one is always there. */
function requireDefaulted(schema: ObjectSchema): void {
  for (const value of Object.values(schema)) {
    if (typeof value === "object" && value !== null) requireDefaulted(value as ObjectSchema);
  }
  if (schema.properties === undefined) return;
  // "one of these keys" says nothing that a type could carry well.
  delete schema["oneOf"];
  const defaulted = Object.entries(schema.properties).flatMap(([name, one]) => (one.default === undefined ? [] : [name]));
  if (defaulted.length > 0) schema.required = [...new Set([...(schema.required ?? []), ...defaulted])];
}
