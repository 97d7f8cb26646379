import type { ViewRepresentation, ViewVersion } from "../adapters/iceberg/view-metadata.ts";
import type { ViewUpdate } from "../adapters/iceberg/view-update.ts";
import type { JsonObject } from "./json-object.ts";
import { propertyParsers } from "./parse-properties.ts";
import { parseSchema } from "./parse-schema.ts";
import { badRequest } from "./rest-error.ts";

/** What a client wants of a view: that it is the one with this uuid (null: whichever has the name), and changes. */
export interface ViewChange {
  readonly uuids: readonly string[];
  readonly updates: readonly ViewUpdate[];
}

function parseRepresentation(representation: JsonObject): ViewRepresentation {
  const type = representation.text("type");
  if (type === "sql") {
    representation.text("sql");
    representation.text("dialect");
  }
  return representation.value as unknown as ViewRepresentation;
}

/** A version of a view as a request has it; RestError where it is none. */
export function parseViewVersion(version: JsonObject): ViewVersion {
  if (version.has("default-catalog")) version.text("default-catalog");
  return {
    ...version.value,
    "version-id": version.integer("version-id"),
    "schema-id": version.has("schema-id") ? version.integer("schema-id") : -1,
    "timestamp-ms": version.integer("timestamp-ms"),
    summary: version.textsByName("summary"),
    representations: version.objects("representations").map(parseRepresentation),
    "default-namespace": version.texts("default-namespace"),
  };
}

/** How each action of the specification's `ViewUpdate` is read. */
const parsers: { readonly [A in ViewUpdate["action"]]: (update: JsonObject) => ViewUpdate } = {
  "assign-uuid": (update) => ({ action: "assign-uuid", uuid: update.text("uuid") }),
  "upgrade-format-version": (update) => ({ action: "upgrade-format-version", "format-version": update.integer("format-version") }),
  "set-location": (update) => ({ action: "set-location", location: update.text("location") }),
  "add-schema": (update) => ({ action: "add-schema", schema: parseSchema(update.object("schema")) }),
  ...propertyParsers,
  "add-view-version": (update) => ({ action: "add-view-version", "view-version": parseViewVersion(update.object("view-version")) }),
  "set-current-view-version": (update) => ({
    action: "set-current-view-version",
    "view-version-id": update.integer("view-version-id"),
  }),
};

/** The requirements and updates of a view's commit; RestError where one is not of the specification. */
export function parseViewChange(body: JsonObject): ViewChange {
  const requirements = body.has("requirements") ? body.objects("requirements") : [];
  const uuids = requirements.map((each) => {
    const type = each.text("type");
    if (type !== "assert-view-uuid") throw badRequest(`there is no requirement ${JSON.stringify(type)} of views`);
    return each.text("uuid");
  });
  const updates = body.objects("updates").map((update) => {
    const action = update.text("action");
    if (!Object.hasOwn(parsers, action)) throw badRequest(`there is no update ${JSON.stringify(action)} of views`);
    return parsers[action as ViewUpdate["action"]](update);
  });
  return { uuids, updates };
}
