import { SluiceError } from "../../core/errors.ts";
import type { PartitionField, PartitionSpec, SortOrder } from "../../core/table-layout.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { parseLosslessJson, writeLosslessJson } from "./lossless-json.ts";
import { cutKnownSnapshots, textOfSnapshot } from "./snapshot-text.ts";
import type { EncryptedKey, PartitionStatisticsFile, Snapshot, StatisticsFile } from "./metadata-parts.ts";
import { lastPartitionIdMin } from "./metadata-parts.ts";

export type { Snapshot };

/** A branch or tag. */
export interface SnapshotRef {
  readonly "snapshot-id": bigint;
  readonly type: "branch" | "tag";
  readonly "min-snapshots-to-keep"?: number;
  readonly "max-snapshot-age-ms"?: number;
  readonly "max-ref-age-ms"?: number;
}

/** The versions of Iceberg's table format that are understood. */
export type FormatVersion = 1 | 2 | 3;

/** The metadata file of a table (Iceberg spec, "Table Metadata"), as version 2 shapes it; keys that Sluice does not know are carried along. */
export interface TableMetadata {
  readonly "format-version": FormatVersion;
  readonly "table-uuid": string;
  readonly location: string;
  readonly "last-sequence-number": bigint;
  readonly "last-updated-ms": number;
  readonly "last-column-id": number;
  readonly "current-schema-id": number;
  readonly schemas: readonly IcebergSchema[];
  readonly "default-spec-id": number;
  readonly "partition-specs": readonly PartitionSpec[];
  readonly "last-partition-id": number;
  readonly "default-sort-order-id": number;
  readonly "sort-orders": readonly SortOrder[];
  readonly properties: Readonly<Record<string, string>>;
  /** -1 where there is none. */
  readonly "current-snapshot-id": bigint;
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  readonly snapshots: readonly Snapshot[];
  readonly "snapshot-log": readonly { readonly "timestamp-ms": number; readonly "snapshot-id": bigint }[];
  readonly "metadata-log": readonly { readonly "timestamp-ms": number; readonly "metadata-file": string }[];
  readonly statistics?: readonly StatisticsFile[];
  readonly "partition-statistics"?: readonly PartitionStatisticsFile[];
  /** Of v3 tables: the id that the next row will have. */
  readonly "next-row-id"?: bigint;
  readonly "encryption-keys"?: readonly EncryptedKey[];
}

/** The metadata of a new, empty, unpartitioned table of version 2. */
export function newTableMetadata(table: {
  readonly uuid: string;
  readonly location: string;
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly nowMs: number;
}): TableMetadata {
  return {
    "format-version": 2,
    "table-uuid": table.uuid,
    location: table.location,
    "last-sequence-number": 0n,
    "last-updated-ms": table.nowMs,
    "last-column-id": table.lastColumnId,
    "current-schema-id": table.schema["schema-id"],
    schemas: [table.schema],
    "default-spec-id": 0,
    "partition-specs": [{ "spec-id": 0, fields: [] }],
    "last-partition-id": lastPartitionIdMin,
    "default-sort-order-id": 0,
    "sort-orders": [{ "order-id": 0, fields: [] }],
    properties: table.properties,
    "current-snapshot-id": -1n,
    refs: {},
    snapshots: [],
    "snapshot-log": [],
    "metadata-log": [],
  };
}

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

/**
 * Reads a metadata file of version 1, 2 or 3. Snapshots that an earlier version of the table has are taken from there. Rejects any other with
 * TABLE_UNSUPPORTED; throws SyntaxError on text that is no JSON.
 */
export function parseTableMetadata(text: string, earlier: TableMetadata | null = null): TableMetadata {
  if (earlier === null) return completeMetadata(parseLosslessJson(text));
  const { rest, snapshots } = cutKnownSnapshots(text, earlier.snapshots);
  const parsed = parseLosslessJson(rest) as RawMetadata;
  return completeMetadata(snapshots.length === 0 ? parsed : { ...parsed, snapshots: [...snapshots, ...(parsed.snapshots ?? [])] });
}

/** The text of a metadata file. */
export function serializeTableMetadata(metadata: TableMetadata): string {
  const members = Object.entries(metadata).map(([key, value]) => {
    const text = key === "snapshots" ? `[${metadata.snapshots.map(textOfSnapshot).join(",")}]` : writeLosslessJson(value);
    return `${JSON.stringify(key)}:${text}`;
  });
  return `{${members.join(",")}}`;
}

/** The table's current schema. Rejects with TABLE_CORRUPT where the metadata names one that it does not have. */
export function currentSchema(metadata: TableMetadata): IcebergSchema {
  return schemaWithId(metadata, metadata["current-schema-id"]);
}

/** The schema that a snapshot was written by; the current one where that is not known any more. */
export function schemaOfSnapshot(metadata: TableMetadata, snapshot: Snapshot): IcebergSchema {
  return metadata.schemas.find((each) => each["schema-id"] === snapshot["schema-id"]) ?? currentSchema(metadata);
}

function schemaWithId(metadata: TableMetadata, id: number): IcebergSchema {
  const schema = metadata.schemas.find((each) => each["schema-id"] === id);
  if (schema === undefined) throw new SluiceError("TABLE_CORRUPT", `table ${metadata["table-uuid"]} has no schema ${id}`);
  return schema;
}

/** The statistics files that a table's metadata names, of snapshots and of their partitions; their snapshots may be gone. */
export function statisticsFiles(metadata: TableMetadata): readonly (StatisticsFile | PartitionStatisticsFile)[] {
  return [...(metadata.statistics ?? []), ...(metadata["partition-statistics"] ?? [])];
}

/** The snapshot that a branch or tag points to, or null. */
export function snapshotOfRef(metadata: TableMetadata, ref: string): Snapshot | null {
  const id = metadata.refs[ref]?.["snapshot-id"];
  return id === undefined ? null : snapshotWithId(metadata, id);
}

/** A snapshot by its id, or null. */
export function snapshotWithId(metadata: TableMetadata, id: bigint): Snapshot | null {
  // From the end: what is asked for is nearly always recent.
  return metadata.snapshots.findLast((snapshot) => snapshot["snapshot-id"] === id) ?? null;
}

// Walks of a table that has not changed come often: outboxes look every second.
const snapshotIndexes = new WeakMap<TableMetadata, ReadonlyMap<bigint, Snapshot>>();

function snapshotIndex(metadata: TableMetadata): ReadonlyMap<bigint, Snapshot> {
  let index = snapshotIndexes.get(metadata);
  if (index === undefined) {
    index = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
    snapshotIndexes.set(metadata, index);
  }
  return index;
}

/** A snapshot and its ancestors that the table still has, newest first, down to a sequence number (exclusive). */
export function ancestorsOf(metadata: TableMetadata, head: Snapshot | null, after = -1n): Snapshot[] {
  const chain: Snapshot[] = [];
  let at = head;
  while (at !== null && at["sequence-number"] > after) {
    chain.push(at);
    const parent: bigint | null | undefined = at["parent-snapshot-id"];
    at = parent === undefined || parent === null ? null : (snapshotIndex(metadata).get(parent) ?? null);
  }
  return chain;
}
