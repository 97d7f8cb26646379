import type { IcebergSchema } from "../../core/table-schema.ts";
import { addSchema, addSortOrder, addSpec, checkLayout, withLegacyLayout } from "./layout-updates.ts";
import type { EncryptedKey, NewPartitionSpec, NewSortOrder, PartitionStatisticsFile, StatisticsFile } from "./metadata-parts.ts";
import { lastPartitionIdMin } from "./metadata-parts.ts";
import type { PropertyUpdate } from "./property-updates.ts";
import { changedProperties } from "./property-updates.ts";
import { RefusedUpdate } from "./refused-update.ts";
import { addSnapshot, removeRef, removeSnapshots, setRef, withoutPassingVersions } from "./snapshot-updates.ts";
import type { FormatVersion, Snapshot, SnapshotRef, TableMetadata } from "./table-metadata.ts";

/** One change of a table's metadata (Iceberg REST specification, `TableUpdate`: all that are of tables). */
export type Update =
  | { readonly action: "assign-uuid"; readonly uuid: string }
  | { readonly action: "upgrade-format-version"; readonly "format-version": FormatVersion }
  | { readonly action: "set-location"; readonly location: string }
  | { readonly action: "add-schema"; readonly schema: IcebergSchema; readonly "last-column-id"?: number }
  /** -1: the schema added last in the same commit. */
  | { readonly action: "set-current-schema"; readonly "schema-id": number }
  | { readonly action: "remove-schemas"; readonly "schema-ids": readonly number[] }
  | { readonly action: "add-spec"; readonly spec: NewPartitionSpec }
  /** -1: the spec added last in the same commit. */
  | { readonly action: "set-default-spec"; readonly "spec-id": number }
  | { readonly action: "remove-partition-specs"; readonly "spec-ids": readonly number[] }
  | { readonly action: "add-sort-order"; readonly "sort-order": NewSortOrder }
  /** -1: the order added last in the same commit. */
  | { readonly action: "set-default-sort-order"; readonly "sort-order-id": number }
  | PropertyUpdate
  | { readonly action: "add-snapshot"; readonly snapshot: Snapshot }
  | ({ readonly action: "set-snapshot-ref"; readonly "ref-name": string } & SnapshotRef)
  | { readonly action: "remove-snapshot-ref"; readonly "ref-name": string }
  | { readonly action: "remove-snapshots"; readonly "snapshot-ids": readonly bigint[] }
  | { readonly action: "set-statistics"; readonly statistics: StatisticsFile }
  | { readonly action: "remove-statistics"; readonly "snapshot-id": bigint }
  | { readonly action: "set-partition-statistics"; readonly "partition-statistics": PartitionStatisticsFile }
  | { readonly action: "remove-partition-statistics"; readonly "snapshot-id": bigint }
  | { readonly action: "add-encryption-key"; readonly "encryption-key": EncryptedKey }
  | { readonly action: "remove-encryption-key"; readonly "key-id": string };

/** A table between two changes of one commit. */
interface Draft {
  readonly metadata: TableMetadata;
  /** What -1 stands for. */
  readonly lastSchemaId: number | null;
  readonly lastSpecId: number | null;
  readonly lastOrderId: number | null;
}

function chosen(what: string, id: number, last: number | null, known: readonly number[]): number {
  const found = id === -1 ? last : id;
  if (found === null) throw new RefusedUpdate(`Cannot set last added ${what}: no ${what} has been added`);
  if (!known.includes(found)) throw new RefusedUpdate(`Cannot set ${what} to unknown id ${found}`);
  return found;
}

interface OfSnapshot {
  readonly "snapshot-id": bigint;
}

function droppingSnapshot<T extends OfSnapshot>(list: readonly T[] | undefined, id: bigint): T[] {
  return (list ?? []).filter((each) => each["snapshot-id"] !== id);
}

function droppingKey(metadata: TableMetadata, id: string): EncryptedKey[] {
  return (metadata["encryption-keys"] ?? []).filter((each) => each["key-id"] !== id);
}

function assignUuid(metadata: TableMetadata, uuid: string): TableMetadata {
  const known = metadata["table-uuid"];
  if (known.toLowerCase() === uuid.toLowerCase()) return metadata;
  if (known !== "") throw new RefusedUpdate(`Cannot reassign uuid: the table is ${known}`);
  return { ...metadata, "table-uuid": uuid };
}

function upgrade(metadata: TableMetadata, version: FormatVersion): TableMetadata {
  const current = metadata["format-version"];
  if (version < current) throw new RefusedUpdate(`Cannot downgrade v${current} table to v${version}`);
  if (version === current) return metadata;
  const { schema: _schema, "partition-spec": _spec, ...rest } = metadata as TableMetadata & Record<string, unknown>;
  return { ...rest, "format-version": version, ...(version === 3 ? { "next-row-id": metadata["next-row-id"] ?? 0n } : {}) };
}

/** Changes of what the next files look like. */
function applyToLayout(draft: Draft, update: Update): Draft | null {
  const { metadata } = draft;
  switch (update.action) {
    case "add-schema": {
      const added = addSchema(metadata, update.schema, update["last-column-id"] ?? 0);
      return { ...draft, metadata: added.metadata, lastSchemaId: added.id };
    }
    case "set-current-schema": {
      const id = chosen(
        "schema",
        update["schema-id"],
        draft.lastSchemaId,
        metadata.schemas.map((each) => each["schema-id"]),
      );
      return { ...draft, metadata: { ...metadata, "current-schema-id": id } };
    }
    case "remove-schemas": {
      const gone = new Set(update["schema-ids"]);
      if (gone.has(metadata["current-schema-id"])) throw new RefusedUpdate("Cannot remove the current schema");
      return { ...draft, metadata: { ...metadata, schemas: metadata.schemas.filter((each) => !gone.has(each["schema-id"])) } };
    }
    case "add-spec": {
      const added = addSpec(metadata, update.spec);
      return { ...draft, metadata: added.metadata, lastSpecId: added.id };
    }
    case "set-default-spec": {
      const id = chosen(
        "partition spec",
        update["spec-id"],
        draft.lastSpecId,
        metadata["partition-specs"].map((each) => each["spec-id"]),
      );
      return { ...draft, metadata: { ...metadata, "default-spec-id": id } };
    }
    case "remove-partition-specs": {
      const gone = new Set(update["spec-ids"]);
      if (gone.has(metadata["default-spec-id"])) throw new RefusedUpdate("Cannot remove the default partition spec");
      const kept = metadata["partition-specs"].filter((each) => !gone.has(each["spec-id"]));
      return { ...draft, metadata: { ...metadata, "partition-specs": kept } };
    }
    case "add-sort-order": {
      const added = addSortOrder(metadata, update["sort-order"].fields);
      return { ...draft, metadata: added.metadata, lastOrderId: added.id };
    }
    case "set-default-sort-order": {
      const id = chosen(
        "sort order",
        update["sort-order-id"],
        draft.lastOrderId,
        metadata["sort-orders"].map((each) => each["order-id"]),
      );
      return { ...draft, metadata: { ...metadata, "default-sort-order-id": id } };
    }
    default:
      return null;
  }
}

/** Changes of snapshots and refs. */
function applyToSnapshots(metadata: TableMetadata, update: Update, nowMs: number | null): TableMetadata | null {
  switch (update.action) {
    case "add-snapshot":
      return addSnapshot(metadata, update.snapshot);
    case "set-snapshot-ref": {
      const { action: _action, "ref-name": name, ...ref } = update;
      return setRef(metadata, name, ref, nowMs);
    }
    case "remove-snapshot-ref":
      return removeRef(metadata, update["ref-name"]);
    case "remove-snapshots":
      return removeSnapshots(metadata, new Set(update["snapshot-ids"]));
    default:
      return null;
  }
}

/** Changes of everything else. */
function applyToRest(metadata: TableMetadata, update: Update): TableMetadata {
  switch (update.action) {
    case "assign-uuid":
      return assignUuid(metadata, update.uuid);
    case "upgrade-format-version":
      return upgrade(metadata, update["format-version"]);
    case "set-location":
      return { ...metadata, location: update.location.replace(/\/+$/, "") };
    case "set-properties":
    case "remove-properties":
      return { ...metadata, properties: changedProperties(metadata.properties, update) };
    case "set-statistics": {
      const { statistics } = update;
      return { ...metadata, statistics: [...droppingSnapshot(metadata.statistics, statistics["snapshot-id"]), statistics] };
    }
    case "remove-statistics":
      return { ...metadata, statistics: droppingSnapshot(metadata.statistics, update["snapshot-id"]) };
    case "set-partition-statistics": {
      const added = update["partition-statistics"];
      const others = droppingSnapshot(metadata["partition-statistics"], added["snapshot-id"]);
      return { ...metadata, "partition-statistics": [...others, added] };
    }
    case "remove-partition-statistics":
      return { ...metadata, "partition-statistics": droppingSnapshot(metadata["partition-statistics"], update["snapshot-id"]) };
    case "add-encryption-key": {
      const key = update["encryption-key"];
      return { ...metadata, "encryption-keys": [...droppingKey(metadata, key["key-id"]), key] };
    }
    case "remove-encryption-key":
      return { ...metadata, "encryption-keys": droppingKey(metadata, update["key-id"]) };
    default:
      throw new Error(`${update.action} was applied before`);
  }
}

/**
 * The table after a list of changes. Pure. `nowMs` is when main moves to a version that was there before; null: with the table's last change. Throws
 * RefusedUpdate on changes that the table can't take, which is a mistake of the caller where they are Sluice's own.
 */
export function applyUpdates(base: TableMetadata, updates: readonly Update[], nowMs: number | null = null): TableMetadata {
  let draft: Draft = { metadata: base, lastSchemaId: null, lastSpecId: null, lastOrderId: null };
  for (const update of updates) {
    const laid = applyToLayout(draft, update);
    draft = laid ?? { ...draft, metadata: applyToSnapshots(draft.metadata, update, nowMs) ?? applyToRest(draft.metadata, update) };
  }
  const { metadata } = draft;
  if (updates.some((update) => layoutChoices.has(update.action))) checkLayout(metadata);
  return withLegacyLayout(withoutPassingVersions(base, metadata));
}

const layoutChoices: ReadonlySet<Update["action"]> = new Set(["set-current-schema", "set-default-spec", "set-default-sort-order"]);

/** The metadata of a new table that a list of changes describes whole (a commit with `assert-create`). Throws RefusedUpdate where something lacks. */
export function metadataFromUpdates(updates: readonly Update[], nowMs: number): TableMetadata {
  const version = updates.find((update) => update.action === "upgrade-format-version")?.["format-version"] ?? 2;
  const empty: TableMetadata = {
    "format-version": version,
    "table-uuid": "",
    location: "",
    "last-sequence-number": 0n,
    "last-updated-ms": nowMs,
    "last-column-id": 0,
    "current-schema-id": -1,
    schemas: [],
    "default-spec-id": -1,
    "partition-specs": [],
    "last-partition-id": lastPartitionIdMin,
    "default-sort-order-id": -1,
    "sort-orders": [],
    properties: {},
    "current-snapshot-id": -1n,
    refs: {},
    snapshots: [],
    "snapshot-log": [],
    "metadata-log": [],
    ...(version === 3 ? { "next-row-id": 0n } : {}),
  };
  const metadata = applyUpdates(empty, updates, nowMs);
  const lacks = [
    metadata["table-uuid"] === "" ? "uuid" : null,
    metadata.location === "" ? "location" : null,
    metadata["current-schema-id"] === -1 ? "current schema" : null,
    metadata["default-spec-id"] === -1 ? "default partition spec" : null,
    metadata["default-sort-order-id"] === -1 ? "default sort order" : null,
  ].find((each) => each !== null);
  if (lacks !== undefined) throw new RefusedUpdate(`The new table has no ${lacks}`);
  return metadata;
}
