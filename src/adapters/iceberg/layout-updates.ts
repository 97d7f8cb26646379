import { isDeepStrictEqual } from "node:util";
import type { PartitionField, SortField } from "../../core/table-layout.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../../core/table-schema.ts";
import type { NewPartitionSpec } from "./metadata-parts.ts";
import { RefusedUpdate } from "./refused-update.ts";
import type { TableMetadata } from "./table-metadata.ts";

/** The table with one more schema, spec or order, and the id it has: an older one's where it says the same. */
interface Added {
  readonly metadata: TableMetadata;
  readonly id: number;
}

function typesWithin(type: IcebergType): readonly { readonly id: number; readonly type: IcebergType }[] {
  if (typeof type === "string") return [];
  const parts =
    type.type === "struct"
      ? type.fields.map((field: IcebergField) => ({ id: field.id, type: field.type }))
      : type.type === "list"
        ? [{ id: type["element-id"], type: type.element }]
        : [
            { id: type["key-id"], type: type.key },
            { id: type["value-id"], type: type.value },
          ];
  return parts.flatMap((part) => [part, ...typesWithin(part.type)]);
}

/** Types that came with format version 3 (spec, "Primitive Types"). */
const versionThreeType = /^(timestamp_ns|timestamptz_ns|variant|unknown|geometry|geography)\b/;

function checkTypes(metadata: TableMetadata, schema: IcebergSchema): void {
  if (metadata["format-version"] >= 3) return;
  const names = typesWithin(schema).flatMap(({ type }) => (typeof type === "string" ? [type] : []));
  const later = names.find((name) => versionThreeType.test(name));
  if (later === undefined) return;
  throw new RefusedUpdate(`Invalid type for v${metadata["format-version"]}: ${later} is not supported until v3`);
}

function nextId(ids: readonly number[], first: number): number {
  return ids.length === 0 ? first : Math.max(...ids) + 1;
}

/** Whether two schemas have the same fields, whatever their ids. */
function sameSchema(one: IcebergSchema, two: IcebergSchema): boolean {
  const says = (each: IcebergSchema): unknown => [each.fields, (each["identifier-field-ids"] ?? []).toSorted((a, b) => a - b)];
  return isDeepStrictEqual(says(one), says(two));
}

/** Schemas with one more, unless one of them is the same, and its id: whatever id it came with gives way to the next one. */
export function withSchema(
  schemas: readonly IcebergSchema[],
  schema: IcebergSchema,
): { readonly schemas: readonly IcebergSchema[]; readonly id: number } {
  const known = schemas.find((each) => sameSchema(each, schema));
  if (known !== undefined) return { schemas, id: known["schema-id"] };
  const id = nextId(
    schemas.map((each) => each["schema-id"]),
    0,
  );
  return { schemas: [...schemas, { ...schema, "schema-id": id }], id };
}

/** Adds a schema, unless the table has it. */
export function addSchema(metadata: TableMetadata, schema: IcebergSchema, lastColumnId: number): Added {
  checkTypes(metadata, schema);
  const { schemas, id } = withSchema(metadata.schemas, schema);
  const highest = Math.max(metadata["last-column-id"], lastColumnId, ...typesWithin(schema).map((each) => each.id));
  return { metadata: { ...metadata, schemas, "last-column-id": highest }, id };
}

/** Adds a partition spec, unless the table has one of the same fields. */
export function addSpec(metadata: TableMetadata, spec: NewPartitionSpec): Added {
  let lastId = metadata["last-partition-id"];
  const says = (fields: NewPartitionSpec["fields"]): unknown => fields.map((field) => [field["source-id"], field.transform, field.name]);
  const specs = metadata["partition-specs"];
  const known = specs.find((each) => isDeepStrictEqual(says(each.fields), says(spec.fields)));
  if (known !== undefined) return { metadata, id: known["spec-id"] };
  const fields = spec.fields.map((field): PartitionField => ({ ...field, "field-id": field["field-id"] ?? ++lastId }));
  const isSequential = fields.every((field, index) => field["field-id"] === 1000 + index);
  if (metadata["format-version"] === 1 && !isSequential) {
    throw new RefusedUpdate("Spec does not use sequential IDs that are required in v1");
  }
  const id = nextId(
    specs.map((each) => each["spec-id"]),
    0,
  );
  const added = { ...spec, "spec-id": id, fields };
  const highest = Math.max(metadata["last-partition-id"], ...fields.map((field) => field["field-id"]));
  return { metadata: { ...metadata, "partition-specs": [...specs, added], "last-partition-id": highest }, id };
}

/** Adds a sort order, unless the table has it; the one without fields is always number 0. */
export function addSortOrder(metadata: TableMetadata, fields: readonly SortField[]): Added {
  const orders = metadata["sort-orders"];
  const known = orders.find((each) => isDeepStrictEqual(each.fields, fields));
  if (known !== undefined) return { metadata, id: known["order-id"] };
  const id =
    fields.length === 0
      ? 0
      : Math.max(
          1,
          nextId(
            orders.map((each) => each["order-id"]),
            1,
          ),
        );
  return { metadata: { ...metadata, "sort-orders": [...orders, { "order-id": id, fields }] }, id };
}

/** Throws RefusedUpdate where the spec or order that new files go by names a column that the current schema has not. */
export function checkLayout(metadata: TableMetadata): void {
  const schema = metadata.schemas.find((each) => each["schema-id"] === metadata["current-schema-id"]);
  if (schema === undefined) return;
  const known = new Set(typesWithin(schema).map((each) => each.id));
  const spec = metadata["partition-specs"].find((each) => each["spec-id"] === metadata["default-spec-id"]);
  const order = metadata["sort-orders"].find((each) => each["order-id"] === metadata["default-sort-order-id"]);
  const fields = [...(spec?.fields ?? []).filter((field) => field.transform !== "void"), ...(order?.fields ?? [])];
  const lost = fields.find((field) => field["source-id"] !== undefined && !known.has(field["source-id"]));
  if (lost !== undefined)
    throw new RefusedUpdate(`Cannot find source column ${lost["source-id"]} of ${lost.transform} in the current schema`);
}

/** Version 1 says its current schema and spec a second time, in the singular, for readers from before there were several. */
export function withLegacyLayout(metadata: TableMetadata): TableMetadata {
  if (metadata["format-version"] !== 1) return metadata;
  const schema = metadata.schemas.find((each) => each["schema-id"] === metadata["current-schema-id"]);
  const spec = metadata["partition-specs"].find((each) => each["spec-id"] === metadata["default-spec-id"]);
  const legacy = { schema, "partition-spec": spec?.fields ?? [] };
  return { ...metadata, ...legacy };
}
