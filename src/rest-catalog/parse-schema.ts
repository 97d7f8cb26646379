import type { IcebergSchema } from "../core/table-schema.ts";
import { JsonObject } from "./json-object.ts";
import { badRequest } from "./rest-error.ts";

/** Types inside of types; readers recurse as deep. */
const depthMax = 64;

function checkType(type: unknown, depth: number): void {
  if (typeof type === "string") return;
  if (depth > depthMax) throw badRequest(`the schema nests deeper than ${depthMax} types`);
  const nested = new JsonObject(type, "a type");
  const kind = nested.text("type");
  if (kind === "struct") checkFields(nested, depth);
  else if (kind === "list") {
    nested.integer("element-id");
    nested.flag("element-required");
    checkType(nested.value["element"], depth + 1);
  } else if (kind === "map") {
    nested.integer("key-id");
    nested.integer("value-id");
    nested.flag("value-required");
    checkType(nested.value["key"], depth + 1);
    checkType(nested.value["value"], depth + 1);
  } else throw badRequest(`there is no type ${JSON.stringify(kind)}`);
}

function checkFields(struct: JsonObject, depth: number): void {
  for (const field of struct.objects("fields")) {
    field.integer("id");
    field.text("name");
    field.flag("required");
    checkType(field.value["type"], depth + 1);
  }
}

/** A schema as a request has it, whole; RestError where it is none. */
export function parseSchema(schema: JsonObject): IcebergSchema {
  checkFields(schema, 0);
  if (schema.has("identifier-field-ids")) schema.integers("identifier-field-ids");
  const id = schema.has("schema-id") ? schema.integer("schema-id") : 0;
  return { ...(schema.value as unknown as IcebergSchema), type: "struct", "schema-id": id };
}
