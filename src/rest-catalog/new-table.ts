import type { NewPartitionSpec, NewSortOrder } from "../adapters/iceberg/metadata-parts.ts";
import type { Update } from "../adapters/iceberg/metadata-update.ts";
import { metadataFromUpdates } from "../adapters/iceberg/metadata-update.ts";
import type { FormatVersion, TableMetadata } from "../adapters/iceberg/table-metadata.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../core/table-schema.ts";
import { badRequest } from "./rest-error.ts";

/** A table that a client wants made. */
export interface WantedTable {
  readonly schema: IcebergSchema;
  readonly spec: NewPartitionSpec;
  readonly order: NewSortOrder;
  readonly properties: Readonly<Record<string, string>>;
}

/** Gives fields new ids, level by level as Iceberg's own catalogs do, and remembers which came from which. */
class FreshIds {
  #last = 0;
  readonly #fresh = new Map<number, number>();

  next(id: number): number {
    this.#fresh.set(id, ++this.#last);
    return this.#last;
  }

  of(id: number): number {
    const fresh = this.#fresh.get(id);
    if (fresh === undefined) throw badRequest(`Cannot find source column ${id} in the schema`);
    return fresh;
  }

  fields(fields: readonly IcebergField[]): IcebergField[] {
    const level = fields.map((field) => ({ ...field, id: this.next(field.id) }));
    return level.map((field) => ({ ...field, type: this.type(field.type) }));
  }

  type(type: IcebergType): IcebergType {
    if (typeof type === "string") return type;
    if (type.type === "struct") return { ...type, fields: this.fields(type.fields) };
    if (type.type === "list") {
      const id = this.next(type["element-id"]);
      return { ...type, "element-id": id, element: this.type(type.element) };
    }
    const keyId = this.next(type["key-id"]);
    const valueId = this.next(type["value-id"]);
    return { ...type, "key-id": keyId, "value-id": valueId, key: this.type(type.key), value: this.type(type.value) };
  }
}

function versionOf(properties: Readonly<Record<string, string>>): FormatVersion {
  const text = properties["format-version"] ?? "2";
  if (text === "1" || text === "2" || text === "3") return Number(text) as FormatVersion;
  throw badRequest(`Unsupported format version: v${text} (supported: v3)`);
}

/** The updates that make a wanted table under a new id; the client's own field ids give way to new ones. */
function updatesOf(wanted: WantedTable, table: { readonly uuid: string; readonly location: string }): Update[] {
  const ids = new FreshIds();
  const { "identifier-field-ids": identifiers, ...schema } = wanted.schema;
  const fields = ids.fields(schema.fields);
  const { "format-version": _version, ...properties } = wanted.properties;
  const moved = <T extends { readonly "source-id": number }>(each: T): T => ({ ...each, "source-id": ids.of(each["source-id"]) });
  return [
    { action: "assign-uuid", uuid: table.uuid },
    { action: "upgrade-format-version", "format-version": versionOf(wanted.properties) },
    { action: "set-location", location: table.location },
    {
      action: "add-schema",
      schema: {
        ...schema,
        "schema-id": 0,
        fields,
        ...(identifiers !== undefined && { "identifier-field-ids": identifiers.map((id) => ids.of(id)) }),
      },
    },
    { action: "set-current-schema", "schema-id": -1 },
    { action: "add-spec", spec: { fields: wanted.spec.fields.map(({ "field-id": _id, ...field }) => moved(field)) } },
    { action: "set-default-spec", "spec-id": -1 },
    { action: "add-sort-order", "sort-order": { fields: wanted.order.fields.map(moved) } },
    { action: "set-default-sort-order", "sort-order-id": -1 },
    { action: "set-properties", updates: properties },
  ];
}

/** The metadata of a wanted table. Throws RestError, or RefusedUpdate where its parts don't fit each other. */
export function newTable(
  wanted: WantedTable,
  table: { readonly uuid: string; readonly location: string; readonly nowMs: number },
): TableMetadata {
  return metadataFromUpdates(updatesOf(wanted, table), table.nowMs);
}
