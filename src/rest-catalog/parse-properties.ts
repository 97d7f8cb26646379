import type { PropertyUpdate } from "../adapters/iceberg/property-updates.ts";
import type { JsonObject } from "./json-object.ts";

/** How changes of the properties of tables and views are read: older clients say `updated` and `removed`. */
export const propertyParsers: { readonly [A in PropertyUpdate["action"]]: (update: JsonObject) => PropertyUpdate } = {
  "set-properties": (update) => ({
    action: "set-properties",
    updates: { ...update.textsByName("updated"), ...update.textsByName("updates") },
  }),
  "remove-properties": (update) => ({
    action: "remove-properties",
    removals: update.texts(update.has("removals") ? "removals" : "removed"),
  }),
};
