import type { TableMetadata } from "./table-metadata.ts";

/** What must hold of the current table for a commit to apply (Iceberg REST specification, `TableRequirement`: all of them). */
export type Requirement =
  | { readonly type: "assert-create" }
  | { readonly type: "assert-table-uuid"; readonly uuid: string }
  /** Null: there is no such branch or tag. */
  | { readonly type: "assert-ref-snapshot-id"; readonly ref: string; readonly "snapshot-id": bigint | null }
  | { readonly type: "assert-last-assigned-field-id"; readonly "last-assigned-field-id": number }
  | { readonly type: "assert-current-schema-id"; readonly "current-schema-id": number }
  | { readonly type: "assert-last-assigned-partition-id"; readonly "last-assigned-partition-id": number }
  | { readonly type: "assert-default-spec-id"; readonly "default-spec-id": number }
  | { readonly type: "assert-default-sort-order-id"; readonly "default-sort-order-id": number };

/** The first requirement that the table does not meet, in words; null where all hold. A null table does not exist yet. */
export function unmetRequirement(metadata: TableMetadata | null, requirements: readonly Requirement[]): string | null {
  for (const requirement of requirements) {
    const fault = unmet(metadata, requirement);
    if (fault !== null) return fault;
  }
  return null;
}

// Clients show these to people and some tests of theirs read them: the words before the colon are those of Iceberg's own catalogs.
function changed(what: string, expected: number, found: number): string | null {
  return expected === found ? null : `${what} changed: expected id ${expected} != ${found}`;
}

function unmet(metadata: TableMetadata | null, requirement: Requirement): string | null {
  if (requirement.type === "assert-create") return metadata === null ? null : "table already exists";
  if (metadata === null) return "table does not exist";
  switch (requirement.type) {
    case "assert-table-uuid": {
      const { uuid } = requirement;
      const found = metadata["table-uuid"];
      return found.toLowerCase() === uuid.toLowerCase() ? null : `UUID does not match: expected ${uuid} != ${found}`;
    }
    case "assert-ref-snapshot-id":
      return unmetRef(metadata, requirement.ref, requirement["snapshot-id"]);
    case "assert-last-assigned-field-id":
      return changed("last assigned field id", requirement["last-assigned-field-id"], metadata["last-column-id"]);
    case "assert-current-schema-id":
      return changed("current schema", requirement["current-schema-id"], metadata["current-schema-id"]);
    case "assert-last-assigned-partition-id":
      return changed("last assigned partition id", requirement["last-assigned-partition-id"], metadata["last-partition-id"]);
    case "assert-default-spec-id":
      return changed("default partition spec", requirement["default-spec-id"], metadata["default-spec-id"]);
    case "assert-default-sort-order-id":
      return changed("default sort order", requirement["default-sort-order-id"], metadata["default-sort-order-id"]);
    default:
      return requirement satisfies never;
  }
}

function unmetRef(metadata: TableMetadata, name: string, expected: bigint | null): string | null {
  const ref = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (ref === undefined) return expected === null ? null : `branch or tag ${name} is missing, expected ${expected}`;
  if (expected === null) return `${ref.type} ${name} was created concurrently`;
  return ref["snapshot-id"] === expected ? null : `${ref.type} ${name} has changed: expected id ${expected} != ${ref["snapshot-id"]}`;
}
