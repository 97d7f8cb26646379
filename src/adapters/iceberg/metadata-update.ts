import type { PartitionSpec, SortOrder } from "../../core/table-layout.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "./table-metadata.ts";
import { snapshotWithId } from "./table-metadata.ts";

/** One change of a table's metadata (Iceberg REST specification, `TableUpdate`). */
export type Update =
  | { readonly action: "add-schema"; readonly schema: IcebergSchema; readonly "last-column-id": number }
  /** -1: the schema added last in the same commit. */
  | { readonly action: "set-current-schema"; readonly "schema-id": number }
  | { readonly action: "add-spec"; readonly spec: PartitionSpec }
  /** -1: the spec added last in the same commit. */
  | { readonly action: "set-default-spec"; readonly "spec-id": number }
  | { readonly action: "add-sort-order"; readonly "sort-order": SortOrder }
  /** -1: the order added last in the same commit. */
  | { readonly action: "set-default-sort-order"; readonly "sort-order-id": number }
  | { readonly action: "set-properties"; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: "remove-properties"; readonly removals: readonly string[] }
  | { readonly action: "add-snapshot"; readonly snapshot: Snapshot }
  | ({ readonly action: "set-snapshot-ref"; readonly "ref-name": string } & SnapshotRef)
  | { readonly action: "remove-snapshot-ref"; readonly "ref-name": string }
  | { readonly action: "remove-snapshots"; readonly "snapshot-ids": readonly bigint[] };

function addSchema(metadata: TableMetadata, schema: IcebergSchema, lastColumnId: number): TableMetadata {
  const id = Math.max(...metadata.schemas.map((each) => each["schema-id"])) + 1;
  return {
    ...metadata,
    schemas: [...metadata.schemas, { ...schema, "schema-id": id }],
    "last-column-id": Math.max(metadata["last-column-id"], lastColumnId),
  };
}

/** A spec keeps the id that its maker gave it; one that the table has is not added again. */
function addSpec(metadata: TableMetadata, spec: PartitionSpec): TableMetadata {
  const specs = metadata["partition-specs"];
  if (specs.some((each) => each["spec-id"] === spec["spec-id"]))
    throw new Error(`the table has a partition spec ${spec["spec-id"]} already`);
  const lastPartitionId = Math.max(metadata["last-partition-id"], ...spec.fields.map((field) => field["field-id"]));
  return { ...metadata, "partition-specs": [...specs, spec], "last-partition-id": lastPartitionId };
}

function addSortOrder(metadata: TableMetadata, order: SortOrder): TableMetadata {
  const orders = metadata["sort-orders"];
  if (orders.some((each) => each["order-id"] === order["order-id"]))
    throw new Error(`the table has a sort order ${order["order-id"]} already`);
  return { ...metadata, "sort-orders": [...orders, order] };
}

function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  if (snapshot["sequence-number"] <= metadata["last-sequence-number"]) throw new Error("a snapshot's sequence number must grow");
  return {
    ...metadata,
    snapshots: [...metadata.snapshots, snapshot],
    "last-sequence-number": snapshot["sequence-number"],
    "last-updated-ms": Math.max(metadata["last-updated-ms"], snapshot["timestamp-ms"]),
  };
}

function setRef(metadata: TableMetadata, name: string, ref: SnapshotRef): TableMetadata {
  const snapshot = snapshotWithId(metadata, ref["snapshot-id"]);
  if (snapshot === null) throw new Error(`ref ${name} names a snapshot that the table does not have`);
  const moved = { ...metadata, refs: { ...metadata.refs, [name]: ref } };
  if (name !== "main") return moved;
  const entry = { "timestamp-ms": metadata["last-updated-ms"], "snapshot-id": ref["snapshot-id"] };
  return { ...moved, "current-snapshot-id": ref["snapshot-id"], "snapshot-log": [...metadata["snapshot-log"], entry] };
}

/** The log keeps what comes after the last removed snapshot: a gap in it would let time travel answer with the wrong version (spec, "snapshot-log"). */
function removeSnapshots(metadata: TableMetadata, ids: ReadonlySet<bigint>): TableMetadata {
  const held = Object.entries(metadata.refs).find(([, ref]) => ids.has(ref["snapshot-id"]));
  if (held !== undefined) throw new Error(`ref ${held[0]} holds a snapshot that is to be removed`);
  const log = metadata["snapshot-log"];
  const gap = log.findLastIndex((entry) => ids.has(entry["snapshot-id"]));
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter((snapshot) => !ids.has(snapshot["snapshot-id"])),
    "snapshot-log": log.slice(gap + 1),
  };
}

function without<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

function applyUpdate(metadata: TableMetadata, update: Update): TableMetadata {
  switch (update.action) {
    case "add-schema":
      return addSchema(metadata, update.schema, update["last-column-id"]);
    case "set-current-schema": {
      const last = metadata.schemas.at(-1)?.["schema-id"] as number;
      return { ...metadata, "current-schema-id": update["schema-id"] === -1 ? last : update["schema-id"] };
    }
    case "add-spec":
      return addSpec(metadata, update.spec);
    case "set-default-spec": {
      const last = metadata["partition-specs"].at(-1)?.["spec-id"] as number;
      return { ...metadata, "default-spec-id": update["spec-id"] === -1 ? last : update["spec-id"] };
    }
    case "add-sort-order":
      return addSortOrder(metadata, update["sort-order"]);
    case "set-default-sort-order": {
      const last = metadata["sort-orders"].at(-1)?.["order-id"] as number;
      return { ...metadata, "default-sort-order-id": update["sort-order-id"] === -1 ? last : update["sort-order-id"] };
    }
    case "set-properties":
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } };
    case "remove-properties":
      return { ...metadata, properties: without(metadata.properties, update.removals) };
    case "add-snapshot":
      return addSnapshot(metadata, update.snapshot);
    case "set-snapshot-ref": {
      const { action: _action, "ref-name": name, ...ref } = update;
      return setRef(metadata, name, ref);
    }
    case "remove-snapshot-ref":
      return { ...metadata, refs: without(metadata.refs, [update["ref-name"]]) };
    case "remove-snapshots":
      return removeSnapshots(metadata, new Set(update["snapshot-ids"]));
    default:
      return update satisfies never;
  }
}

/** The table after a list of changes. Pure; throws Error on changes that no table could take, which is a mistake of the caller. */
export function applyUpdates(base: TableMetadata, updates: readonly Update[]): TableMetadata {
  return updates.reduce(applyUpdate, base);
}
