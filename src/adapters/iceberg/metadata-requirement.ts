import type { TableMetadata } from "./table-metadata.ts";

/** What must hold of the current table for a commit to apply (Iceberg REST specification, `TableRequirement`). */
export type Requirement =
  | { readonly type: "assert-create" }
  | { readonly type: "assert-table-uuid"; readonly uuid: string }
  | { readonly type: "assert-ref-snapshot-id"; readonly ref: string; readonly "snapshot-id": bigint | null }
  | { readonly type: "assert-current-schema-id"; readonly "current-schema-id": number }
  | { readonly type: "assert-last-assigned-field-id"; readonly "last-assigned-field-id": number };

/** The first requirement that the table does not meet, in words; null where all hold. A null table does not exist yet. */
export function unmetRequirement(metadata: TableMetadata | null, requirements: readonly Requirement[]): string | null {
  for (const requirement of requirements) {
    const fault = unmet(metadata, requirement);
    if (fault !== null) return fault;
  }
  return null;
}

function unmet(metadata: TableMetadata | null, requirement: Requirement): string | null {
  if (requirement.type === "assert-create") return metadata === null ? null : "the table exists already";
  if (metadata === null) return "the table does not exist";
  switch (requirement.type) {
    case "assert-table-uuid":
      return metadata["table-uuid"] === requirement.uuid ? null : `the table is ${metadata["table-uuid"]}, not ${requirement.uuid}`;
    case "assert-ref-snapshot-id": {
      const found = metadata.refs[requirement.ref]?.["snapshot-id"] ?? null;
      return found === requirement["snapshot-id"] ? null : `${requirement.ref} is at ${found}, not at ${requirement["snapshot-id"]}`;
    }
    case "assert-current-schema-id": {
      const found = metadata["current-schema-id"];
      return found === requirement["current-schema-id"] ? null : `the schema is ${found}, not ${requirement["current-schema-id"]}`;
    }
    case "assert-last-assigned-field-id": {
      const found = metadata["last-column-id"];
      return found === requirement["last-assigned-field-id"]
        ? null
        : `the last field id is ${found}, not ${requirement["last-assigned-field-id"]}`;
    }
    default:
      return requirement satisfies never;
  }
}
