import type { PartitionField, SortField } from "../core/table-layout.ts";
import type { NewPartitionSpec, NewSortOrder } from "../adapters/iceberg/metadata-parts.ts";
import type { Requirement } from "../adapters/iceberg/metadata-requirement.ts";
import type { Update } from "../adapters/iceberg/metadata-update.ts";
import type { FormatVersion, Snapshot } from "../adapters/iceberg/table-metadata.ts";
import type { JsonObject } from "./json-object.ts";
import { propertyParsers } from "./parse-properties.ts";
import { parseSchema } from "./parse-schema.ts";
import { badRequest } from "./rest-error.ts";

function checkSource(field: JsonObject): void {
  // Transforms of several columns (v3) name them in a list.
  if (field.has("source-ids")) field.integers("source-ids");
  else field.integer("source-id");
  field.text("transform");
}

/** A partition spec as a request has it. */
export function parseSpec(spec: JsonObject): NewPartitionSpec {
  const fields = spec.objects("fields").map((field) => {
    checkSource(field);
    field.text("name");
    if (field.has("field-id")) field.integer("field-id");
    return field.value as unknown as PartitionField;
  });
  return { ...spec.value, fields };
}

/** A sort order as a request has it. */
export function parseSortOrder(order: JsonObject): NewSortOrder {
  const fields = order.objects("fields").map((field) => {
    checkSource(field);
    const isKnown = ["asc", "desc"].includes(field.text("direction")) && ["nulls-first", "nulls-last"].includes(field.text("null-order"));
    if (!isKnown) throw badRequest("a sort field's direction is asc or desc, and its null-order nulls-first or nulls-last");
    return field.value as unknown as SortField;
  });
  return { ...order.value, fields };
}

function parseSnapshot(snapshot: JsonObject): Snapshot {
  const { "parent-snapshot-id": _parent, ...rest } = snapshot.value;
  const longs = (...keys: string[]): Record<string, bigint> =>
    Object.fromEntries(keys.flatMap((key) => (snapshot.has(key) ? [[key, snapshot.long(key)]] : [])));
  if (snapshot.has("schema-id")) snapshot.integer("schema-id");
  const parsed = {
    ...rest,
    ...longs("parent-snapshot-id", "first-row-id", "added-rows"),
    "snapshot-id": snapshot.long("snapshot-id"),
    "sequence-number": snapshot.has("sequence-number") ? snapshot.long("sequence-number") : 0n,
    "timestamp-ms": snapshot.integer("timestamp-ms"),
    "manifest-list": snapshot.text("manifest-list"),
    summary: snapshot.textsByName("summary"),
  };
  return parsed;
}

function parseRef(update: JsonObject): Update {
  const type = update.text("type");
  if (type !== "branch" && type !== "tag") throw badRequest(`a ref is a branch or a tag, not ${JSON.stringify(type)}`);
  const limits = ["min-snapshots-to-keep", "max-snapshot-age-ms", "max-ref-age-ms"].flatMap((key) =>
    update.has(key) ? [[key, update.integer(key)]] : [],
  );
  return {
    action: "set-snapshot-ref",
    "ref-name": update.text("ref-name"),
    type,
    "snapshot-id": update.long("snapshot-id"),
    ...(Object.fromEntries(limits) as Record<string, number>),
  };
}

function parseVersion(update: JsonObject): FormatVersion {
  const version = update.integer("format-version");
  if (version === 1 || version === 2 || version === 3) return version;
  throw badRequest(`Cannot upgrade table to unsupported format version: v${version} (supported: v3)`);
}

type Parser = (update: JsonObject) => Update;

/** How each action of the specification's `TableUpdate` is read. */
const updateParsers: { readonly [A in Update["action"]]: Parser } = {
  "assign-uuid": (update) => ({ action: "assign-uuid", uuid: update.text("uuid") }),
  "upgrade-format-version": (update) => ({ action: "upgrade-format-version", "format-version": parseVersion(update) }),
  "set-location": (update) => ({ action: "set-location", location: update.text("location") }),
  "add-schema": (update) => ({
    action: "add-schema",
    schema: parseSchema(update.object("schema")),
    ...(update.has("last-column-id") && { "last-column-id": update.integer("last-column-id") }),
  }),
  "set-current-schema": (update) => ({ action: "set-current-schema", "schema-id": update.integer("schema-id") }),
  "remove-schemas": (update) => ({ action: "remove-schemas", "schema-ids": update.integers("schema-ids") }),
  "add-spec": (update) => ({ action: "add-spec", spec: parseSpec(update.object("spec")) }),
  "set-default-spec": (update) => ({ action: "set-default-spec", "spec-id": update.integer("spec-id") }),
  "remove-partition-specs": (update) => ({ action: "remove-partition-specs", "spec-ids": update.integers("spec-ids") }),
  "add-sort-order": (update) => ({ action: "add-sort-order", "sort-order": parseSortOrder(update.object("sort-order")) }),
  "set-default-sort-order": (update) => ({ action: "set-default-sort-order", "sort-order-id": update.integer("sort-order-id") }),
  ...propertyParsers,
  "add-snapshot": (update) => ({ action: "add-snapshot", snapshot: parseSnapshot(update.object("snapshot")) }),
  "set-snapshot-ref": parseRef,
  "remove-snapshot-ref": (update) => ({ action: "remove-snapshot-ref", "ref-name": update.text("ref-name") }),
  "remove-snapshots": (update) => ({ action: "remove-snapshots", "snapshot-ids": update.longs("snapshot-ids") }),
  "set-statistics": (update) => ({ action: "set-statistics", statistics: parseStatistics(update.object("statistics")) }),
  "remove-statistics": (update) => ({ action: "remove-statistics", "snapshot-id": update.long("snapshot-id") }),
  "set-partition-statistics": (update) => ({
    action: "set-partition-statistics",
    "partition-statistics": parseStatistics(update.object("partition-statistics")),
  }),
  "remove-partition-statistics": (update) => ({ action: "remove-partition-statistics", "snapshot-id": update.long("snapshot-id") }),
  "add-encryption-key": (update) => {
    const key = update.object("encryption-key");
    return { action: "add-encryption-key", "encryption-key": { ...key.value, "key-id": key.text("key-id") } };
  },
  "remove-encryption-key": (update) => ({ action: "remove-encryption-key", "key-id": update.text("key-id") }),
};

function parseStatistics(file: JsonObject): { readonly "snapshot-id": bigint; readonly "statistics-path": string } {
  return { ...file.value, "snapshot-id": file.long("snapshot-id"), "statistics-path": file.text("statistics-path") };
}

/** How each type of the specification's `TableRequirement` is read. */
const requirementParsers: { readonly [T in Requirement["type"]]: (requirement: JsonObject) => Requirement } = {
  "assert-create": () => ({ type: "assert-create" }),
  "assert-table-uuid": (requirement) => ({ type: "assert-table-uuid", uuid: requirement.text("uuid") }),
  "assert-ref-snapshot-id": (requirement) => ({
    type: "assert-ref-snapshot-id",
    ref: requirement.text("ref"),
    "snapshot-id": requirement.has("snapshot-id") ? requirement.long("snapshot-id") : null,
  }),
  "assert-last-assigned-field-id": (requirement) => ({
    type: "assert-last-assigned-field-id",
    "last-assigned-field-id": requirement.integer("last-assigned-field-id"),
  }),
  "assert-current-schema-id": (requirement) => ({
    type: "assert-current-schema-id",
    "current-schema-id": requirement.integer("current-schema-id"),
  }),
  "assert-last-assigned-partition-id": (requirement) => ({
    type: "assert-last-assigned-partition-id",
    "last-assigned-partition-id": requirement.integer("last-assigned-partition-id"),
  }),
  "assert-default-spec-id": (requirement) => ({
    type: "assert-default-spec-id",
    "default-spec-id": requirement.integer("default-spec-id"),
  }),
  "assert-default-sort-order-id": (requirement) => ({
    type: "assert-default-sort-order-id",
    "default-sort-order-id": requirement.integer("default-sort-order-id"),
  }),
};

function chosen<T>(parsers: Readonly<Record<string, T>>, name: string, what: string): T {
  const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (parser === undefined) throw badRequest(`there is no ${what} ${JSON.stringify(name)}`);
  return parser;
}

/** The requirements and updates of a commit's body; RestError where one is not of the specification. */
export function parseChanges(body: JsonObject): { readonly requirements: readonly Requirement[]; readonly updates: readonly Update[] } {
  const requirements = body.has("requirements") ? body.objects("requirements") : [];
  return {
    requirements: requirements.map((each) => chosen(requirementParsers, each.text("type"), "requirement")(each)),
    updates: body.objects("updates").map((each) => chosen<Parser>(updateParsers, each.text("action"), "update")(each)),
  };
}
