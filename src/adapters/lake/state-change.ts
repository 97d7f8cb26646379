import type { Update } from "../iceberg/metadata-update.ts";
import { TableDraft } from "../iceberg/table-draft.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { summaryKeys } from "./summary-keys.ts";

/** A change of Sluice's own state in the promoted table's properties. */
export interface StateChange {
  readonly change: "activate" | "start" | "reset" | "block" | "unblock" | "rebase";
  readonly author: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Null removes the property. */
  readonly properties: Readonly<Record<string, string | null>>;
  /** Changes that come first, such as of the schema. */
  readonly before?: (draft: TableDraft) => void;
  /** The id of its snapshot, where the caller must recognise it later. */
  readonly snapshotId?: bigint;
}

/**
 * Drafts a change of state. It moves main by an empty snapshot, like every window: so main's old value guards the properties in every catalog, and
 * the change stands in the table's history with who made it and why.
 */
export async function draftChange(context: LakeContext, tables: DatasetTables, change: StateChange): Promise<TableDraft> {
  const draft = new TableDraft(context.io, tables.promoted.metadata);
  change.before?.(draft);
  draft.update(...propertyUpdates(change.properties));
  await draft.append({
    snapshotId: change.snapshotId ?? context.snapshotId(),
    parent: draft.main,
    branch: "main",
    manifests: [],
    summary: {
      [summaryKeys.change]: change.change,
      ...(change.author === null ? {} : { [summaryKeys.author]: change.author }),
      ...(change.reason === null ? {} : { [summaryKeys.reason]: change.reason }),
      [summaryKeys.detail]: JSON.stringify(change.detail, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
    },
    merges: null,
    nowMs: context.clock.now(),
  });
  return draft;
}

function propertyUpdates(properties: Readonly<Record<string, string | null>>): Update[] {
  const updates: Record<string, string> = {};
  const removals: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value === null) removals.push(name);
    else updates[name] = value;
  }
  return [
    ...(Object.keys(updates).length === 0 ? [] : [{ action: "set-properties", updates } as const]),
    ...(removals.length === 0 ? [] : [{ action: "remove-properties", removals } as const]),
  ];
}
