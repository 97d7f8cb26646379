/** A change of the properties of a table or a view (Iceberg REST specification, `SetPropertiesUpdate` and `RemovePropertiesUpdate`). */
export type PropertyUpdate =
  | { readonly action: "set-properties"; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: "remove-properties"; readonly removals: readonly string[] };

/** Properties after a change. */
export function changedProperties(properties: Readonly<Record<string, string>>, update: PropertyUpdate): Readonly<Record<string, string>> {
  if (update.action === "set-properties") return { ...properties, ...update.updates };
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !update.removals.includes(name)));
}
