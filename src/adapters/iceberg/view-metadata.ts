import { SluiceError } from "../../core/errors.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { parseLosslessJson, writeLosslessJson } from "./lossless-json.ts";

/** One way in which a view's query is written down; of type `sql`: its text and dialect. Types that are not known are carried along. */
export interface ViewRepresentation {
  readonly type: string;
  readonly sql?: string;
  readonly dialect?: string;
}

/** One definition of a view. Never changed once it is committed. */
export interface ViewVersion {
  readonly "version-id": number;
  readonly "schema-id": number;
  readonly "timestamp-ms": number;
  readonly summary: Readonly<Record<string, string>>;
  readonly representations: readonly ViewRepresentation[];
  readonly "default-catalog"?: string | null;
  readonly "default-namespace": readonly string[];
}

/** The metadata file of a view (Iceberg view spec, version 1); keys that Sluice does not know are carried along. */
export interface ViewMetadata {
  /** Empty only before the first update of a new view. */
  readonly "view-uuid": string;
  readonly "format-version": 1;
  readonly location: string;
  readonly schemas: readonly IcebergSchema[];
  readonly "current-version-id": number;
  readonly versions: readonly ViewVersion[];
  readonly "version-log": readonly { readonly "timestamp-ms": number; readonly "version-id": number }[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Uuids become folders. */
const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function isWhole(value: Partial<ViewMetadata>): value is ViewMetadata {
  const lists = [value.schemas, value.versions, value["version-log"]];
  return uuidForm.test(String(value["view-uuid"])) && typeof value.location === "string" && lists.every((each) => Array.isArray(each));
}

/** Reads a view's metadata file. Rejects with TABLE_UNSUPPORTED where its version is not 1, TABLE_CORRUPT where it is none, SyntaxError. */
export function parseViewMetadata(text: string): ViewMetadata {
  const parsed = parseLosslessJson(text);
  const value = (typeof parsed === "object" && parsed !== null ? parsed : {}) as Partial<ViewMetadata>;
  if (value["format-version"] !== 1) {
    throw new SluiceError("TABLE_UNSUPPORTED", `a view of format version ${String(value["format-version"])}; 1 is understood`);
  }
  const whole = { ...value, properties: value.properties ?? {} };
  if (isWhole(whole)) return whole;
  throw new SluiceError("TABLE_CORRUPT", "a view's metadata lacks its uuid, location, schemas, versions or log");
}

/** The text of a view's metadata file. */
export function serializeViewMetadata(metadata: ViewMetadata): string {
  return writeLosslessJson(metadata);
}
