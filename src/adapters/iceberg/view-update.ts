import { isDeepStrictEqual } from "node:util";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { withSchema } from "./layout-updates.ts";
import type { PropertyUpdate } from "./property-updates.ts";
import { changedProperties } from "./property-updates.ts";
import { RefusedUpdate } from "./refused-update.ts";
import type { ViewMetadata, ViewVersion } from "./view-metadata.ts";

/** One change of a view's metadata (Iceberg REST specification, `ViewUpdate`). */
export type ViewUpdate =
  | { readonly action: "assign-uuid"; readonly uuid: string }
  | { readonly action: "upgrade-format-version"; readonly "format-version": number }
  | { readonly action: "set-location"; readonly location: string }
  | { readonly action: "add-schema"; readonly schema: IcebergSchema }
  | PropertyUpdate
  /** Its schema -1: the one added last in the same commit. */
  | { readonly action: "add-view-version"; readonly "view-version": ViewVersion }
  /** -1: the version added last in the same commit. */
  | { readonly action: "set-current-view-version"; readonly "view-version-id": number };

/** A view between two changes of one commit. */
interface Draft {
  readonly metadata: ViewMetadata;
  readonly lastSchemaId: number | null;
  readonly lastVersionId: number | null;
  /** Versions that came with this commit. */
  readonly added: readonly number[];
}

const historyEntriesDefault = 10;

function addSchema(draft: Draft, schema: IcebergSchema): Draft {
  const { schemas, id } = withSchema(draft.metadata.schemas, schema);
  return { ...draft, metadata: { ...draft.metadata, schemas }, lastSchemaId: id };
}

function dialectsOf(version: ViewVersion): string[] {
  return version.representations.flatMap(({ type, dialect }) => (type === "sql" && dialect !== undefined ? [dialect.toLowerCase()] : []));
}

/** Whether two versions say the same, whenever and under whatever id they were made. */
function saysTheSame(one: ViewVersion, two: ViewVersion): boolean {
  const said = ({ "version-id": _id, "timestamp-ms": _at, "default-catalog": catalog = null, ...rest }: ViewVersion): unknown => ({
    ...rest,
    catalog,
  });
  return isDeepStrictEqual(said(one), said(two));
}

function addVersion(draft: Draft, given: ViewVersion): Draft {
  const { metadata, lastSchemaId } = draft;
  const schemaId = given["schema-id"] === -1 ? lastSchemaId : given["schema-id"];
  if (schemaId === null) throw new RefusedUpdate("Cannot set last added schema: no schema has been added");
  if (!metadata.schemas.some((each) => each["schema-id"] === schemaId)) {
    throw new RefusedUpdate(`Cannot add version with unknown schema: ${schemaId}`);
  }
  const version = { ...given, "schema-id": schemaId };
  const dialects = dialectsOf(version);
  const twice = dialects.find((each, index) => dialects.indexOf(each) !== index);
  if (twice !== undefined) throw new RefusedUpdate(`Invalid view version: Cannot add multiple queries for dialect ${twice}`);
  const known = metadata.versions.find((each) => saysTheSame(each, version));
  if (known !== undefined) return { ...draft, lastVersionId: known["version-id"] };
  const id = Math.max(given["version-id"], ...metadata.versions.map((each) => each["version-id"] + 1));
  return {
    ...draft,
    metadata: { ...metadata, versions: [...metadata.versions, { ...version, "version-id": id }] },
    lastVersionId: id,
    added: [...draft.added, id],
  };
}

function setCurrent(draft: Draft, given: number, nowMs: number): Draft {
  const { metadata, lastVersionId } = draft;
  const id = given === -1 ? lastVersionId : given;
  if (id === null) throw new RefusedUpdate("Cannot set last version id: no current version id has been set");
  const version = metadata.versions.find((each) => each["version-id"] === id);
  if (version === undefined) throw new RefusedUpdate(`Cannot set current version to unknown version: ${id}`, true);
  if (metadata["current-version-id"] === id) return draft;
  const atMs = draft.added.includes(id) ? version["timestamp-ms"] : nowMs;
  const log = [...metadata["version-log"], { "timestamp-ms": atMs, "version-id": id }];
  return { ...draft, metadata: { ...metadata, "current-version-id": id, "version-log": log } };
}

function assignUuid(metadata: ViewMetadata, uuid: string): ViewMetadata {
  const known = metadata["view-uuid"];
  if (known !== "" && known.toLowerCase() !== uuid.toLowerCase()) throw new RefusedUpdate(`Cannot reassign uuid: the view is ${known}`);
  return known === "" ? { ...metadata, "view-uuid": uuid } : metadata;
}

function applyOne(draft: Draft, update: ViewUpdate, nowMs: number): Draft {
  const { metadata } = draft;
  switch (update.action) {
    case "add-schema":
      return addSchema(draft, update.schema);
    case "add-view-version":
      return addVersion(draft, update["view-version"]);
    case "set-current-view-version":
      return setCurrent(draft, update["view-version-id"], nowMs);
    case "assign-uuid":
      return { ...draft, metadata: assignUuid(metadata, update.uuid) };
    case "upgrade-format-version":
      if (update["format-version"] === 1) return draft;
      throw new RefusedUpdate(`Cannot upgrade view to unsupported format version: v${update["format-version"]} (supported: v1)`);
    case "set-location":
      return { ...draft, metadata: { ...metadata, location: update.location } };
    case "set-properties":
    case "remove-properties":
      return { ...draft, metadata: { ...metadata, properties: changedProperties(metadata.properties, update) } };
    default:
      return update satisfies never;
  }
}

/** Versions beyond what is to be kept go, the oldest first, and the log begins after the last entry of one that is gone. */
function withoutOldVersions({ metadata, added }: Draft): ViewMetadata {
  const wanted = Number(metadata.properties["version.history.num-entries"] ?? historyEntriesDefault);
  if (!Number.isSafeInteger(wanted) || wanted < 1) throw new RefusedUpdate("version.history.num-entries must be a whole number from 1");
  const current = metadata["current-version-id"];
  const max = Math.max(wanted, new Set([...added, current]).size);
  if (metadata.versions.length <= max) return metadata;
  const others = metadata.versions.map((each) => each["version-id"]).filter((id) => id !== current);
  const kept = new Set([current, ...others.toSorted((a, b) => b - a).slice(0, max - 1)]);
  const log = metadata["version-log"];
  return {
    ...metadata,
    versions: metadata.versions.filter((each) => kept.has(each["version-id"])),
    "version-log": log.slice(log.findLastIndex((each) => !kept.has(each["version-id"])) + 1),
  };
}

function checkDialects(before: ViewMetadata, after: ViewMetadata): void {
  if (after.properties["replace.drop-dialect.allowed"]?.toLowerCase() === "true") return;
  const [old, next] = [before, after].map((each) => {
    const version = each.versions.find((one) => one["version-id"] === each["current-version-id"]);
    return version === undefined ? [] : dialectsOf(version);
  }) as [string[], string[]];
  const lost = old.filter((each) => !next.includes(each));
  if (lost.length === 0) return;
  throw new RefusedUpdate(`Cannot replace view due to loss of view dialects (replace.drop-dialect.allowed=false): ${lost.join(", ")}`);
}

/** A view's metadata after a commit. Throws RefusedUpdate where an update does not fit it. */
export function applyViewUpdates(metadata: ViewMetadata, updates: readonly ViewUpdate[], nowMs: number): ViewMetadata {
  let draft: Draft = { metadata, lastSchemaId: null, lastVersionId: null, added: [] };
  for (const update of updates) draft = applyOne(draft, update, nowMs);
  if (draft.metadata.versions.length === 0) throw new RefusedUpdate("Invalid view: no versions were added");
  checkDialects(metadata, draft.metadata);
  return withoutOldVersions(draft);
}

/** The metadata of a new view with one version. Throws RefusedUpdate where its parts don't fit each other. */
export function newViewMetadata(
  view: {
    readonly uuid: string;
    readonly location: string;
    readonly schema: IcebergSchema;
    readonly version: ViewVersion;
    readonly properties: Readonly<Record<string, string>>;
  },
  nowMs: number,
): ViewMetadata {
  const { uuid, location, schema, version, properties } = view;
  const empty: ViewMetadata = {
    "view-uuid": uuid,
    "format-version": 1,
    location,
    schemas: [],
    "current-version-id": -1,
    versions: [],
    "version-log": [],
    properties,
  };
  const updates: readonly ViewUpdate[] = [
    { action: "add-schema", schema },
    { action: "add-view-version", "view-version": { ...version, "schema-id": -1 } },
    { action: "set-current-view-version", "view-version-id": -1 },
  ];
  return applyViewUpdates(empty, updates, nowMs);
}
