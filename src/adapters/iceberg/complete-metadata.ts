import { SluiceError } from "../../core/errors.ts";
import type { PartitionField } from "../../core/table-layout.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { lastPartitionIdMin } from "./metadata-parts.ts";
import type { Snapshot, TableMetadata } from "./table-metadata.ts";

/** A metadata file as it may come from any writer of any version: what is empty may be left out, and version 1 knows one schema and one spec. */
type RawMetadata = Partial<Omit<TableMetadata, "format-version">> & {
  readonly "format-version"?: unknown;
  readonly schema?: IcebergSchema;
  readonly "partition-spec"?: readonly (Omit<PartitionField, "field-id"> & { readonly "field-id"?: number })[];
};

const formatVersions: ReadonlySet<unknown> = new Set([1, 2, 3]);

function lacking(what: string): SluiceError {
  return new SluiceError("TABLE_UNSUPPORTED", `the table's metadata has no ${what}`);
}

/** Schemas, specs and orders of version 1, which may stand in the singular (spec, "Table Metadata Fields"). */
function completeLegacy(raw: RawMetadata): Partial<TableMetadata> {
  if (raw["format-version"] !== 1) return {};
  const { schema } = raw;
  if (raw.schemas === undefined && schema === undefined) throw lacking("schema");
  const schemas = raw.schemas ?? [{ ...(schema as IcebergSchema), type: "struct", "schema-id": schema?.["schema-id"] ?? 0 }];
  const fields = (raw["partition-spec"] ?? []).map((field, index) => ({ ...field, "field-id": field["field-id"] ?? 1000 + index }));
  const specs = raw["partition-specs"] ?? [{ "spec-id": 0, fields }];
  const fieldIds = specs.flatMap((spec) => spec.fields.map((field) => field["field-id"]));
  return {
    "last-sequence-number": raw["last-sequence-number"] ?? 0n,
    "current-schema-id": raw["current-schema-id"] ?? schemas[0]?.["schema-id"] ?? 0,
    schemas,
    "default-spec-id": raw["default-spec-id"] ?? 0,
    "partition-specs": specs,
    "last-partition-id": raw["last-partition-id"] ?? Math.max(lastPartitionIdMin, ...fieldIds),
    "default-sort-order-id": raw["default-sort-order-id"] ?? 0,
    "sort-orders": raw["sort-orders"] ?? [{ "order-id": 0, fields: [] }],
  };
}

const needed = [
  "table-uuid",
  "location",
  "last-sequence-number",
  "last-updated-ms",
  "last-column-id",
  "current-schema-id",
  "schemas",
  "default-spec-id",
  "partition-specs",
  "last-partition-id",
  "default-sort-order-id",
  "sort-orders",
] as const;

function withSequence(snapshot: Snapshot): Snapshot {
  const sequence: bigint | null | undefined = snapshot["sequence-number"];
  return sequence === undefined || sequence === null ? { ...snapshot, "sequence-number": 0n } : snapshot;
}

/**
 * Parsed metadata in the one shape that everything works with: what writers leave out where it is empty, and what version 1 says otherwise, is filled
 * in; nothing is taken away. Rejects what is no table of version 1 to 3 with TABLE_UNSUPPORTED.
 */
export function completeMetadata(parsed: unknown): TableMetadata {
  const raw = (typeof parsed === "object" && parsed !== null ? parsed : {}) as RawMetadata;
  if (!formatVersions.has(raw["format-version"])) {
    throw new SluiceError(
      "TABLE_UNSUPPORTED",
      `the table has Iceberg format version ${String(raw["format-version"])}; versions 1 to 3 are known`,
    );
  }
  const current = raw["current-snapshot-id"] ?? -1n;
  // Before there were branches, main was where the table stood.
  const main = current === -1n ? {} : { main: { "snapshot-id": current, type: "branch" as const } };
  const complete = {
    ...raw,
    ...completeLegacy(raw),
    properties: raw.properties ?? {},
    "current-snapshot-id": current,
    refs: raw.refs ?? main,
    snapshots: (raw.snapshots ?? []).map(withSequence),
    "snapshot-log": raw["snapshot-log"] ?? [],
    "metadata-log": raw["metadata-log"] ?? [],
    ...(raw["format-version"] === 3 ? { "next-row-id": raw["next-row-id"] ?? 0n } : {}),
  };
  const missing = needed.find((key) => complete[key] === undefined || complete[key] === null);
  if (missing !== undefined) throw lacking(missing);
  return complete as TableMetadata;
}
