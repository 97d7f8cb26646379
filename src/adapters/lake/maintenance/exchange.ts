import { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { ReplacementCache } from "../../iceberg/replaced-files.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import { snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { Plan } from "../commit-loop.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import type { Exchange } from "./exchanged-files.ts";
import { TaggedExchanges } from "./tagged-exchanges.ts";
import { uselessDeletes } from "./useless-deletes.ts";
import type { VersionEntries } from "./version-entries.ts";
import { deletedUpTo, entriesOf } from "./version-entries.ts";

/** Which of a dataset's two tables. */
export type TableKind = "promoted" | "quarantine";

/** What became of some exchanges. */
export interface Exchanged<T extends Exchange> {
  /** Null where none was left to make. */
  readonly snapshotId: bigint | null;
  /** Those that were made: the others' files were gone, or others had deleted rows of them. */
  readonly kept: readonly T[];
  readonly attempts: number;
}

/** Exchanges all of whose files are still there, and, where new ones hold their rows, untouched by deletes that were not known when those were written. */
function standing<T extends Exchange>(version: VersionEntries, exchanges: readonly T[], knownDeletes: ReadonlySet<string>): T[] {
  const deleted = deletedUpTo(version.deletes.filter(({ file }) => !knownDeletes.has(file.file_path as string)));
  const there = new Map(version.files.map((entry) => [entry.file.file_path as string, entry.sequence ?? 0n]));
  return exchanges.filter(({ removed, added }) =>
    removed.every(({ file }) => (there.get(file.file_path as string) ?? -1n) > (added.length === 0 ? -1n : deleted)),
  );
}

/** Exchanges of one table's files. */
export interface Exchanges<T extends Exchange> {
  readonly dataset: string;
  readonly table: TableKind;
  readonly exchanges: readonly T[];
  /** Delete files whose rows the new files are written without. */
  readonly knownDeletes: ReadonlySet<string>;
  /** Whether versions that tags name are exchanged as well: each such tag gets one with the new files. */
  readonly underTags?: boolean;
}

/**
 * Puts new files in the place of old ones, over main as it is at each attempt, so that it gives way to every other writer; delete files that apply to nothing
 * any more go with them. `summary`: what the snapshot says of the exchanges that are made. Rejects with COMMIT_CONFLICT.
 */
export function commitExchanges<T extends Exchange>(
  context: LakeContext,
  { dataset, table, exchanges, knownDeletes, underTags = false }: Exchanges<T>,
  summary: (kept: readonly T[]) => Promise<Record<string, string>>,
): Promise<Exchanged<T>> {
  const id = context.snapshotId();
  const tags = underTags ? new TaggedExchanges(context, exchanges) : null;
  const cache = new ReplacementCache();
  let onMain: readonly T[] = exchanges;
  let made: readonly T[] = exchanges;
  let removedDeletes: ReadonlySet<string> = new Set();
  return commitUntilSettled<Exchanged<T>>(context, dataset, async (tables, attempt): Promise<Plan<Exchanged<T>>> => {
    const { metadata } = tables[table];
    const settled = [id, ...(tags?.snapshotIds ?? [])].find((each) => snapshotWithId(metadata, each) !== null);
    if (settled !== undefined) return { kind: "done", result: { snapshotId: settled, kept: made, attempts: attempt } };
    const before = onMain.length;
    const version = await entriesOf(context, snapshotOfRef(metadata, "main"), cache.manifests);
    onMain = standing(version, onMain, knownDeletes);
    const removed = new Set(onMain.flatMap((each) => each.removed.map(({ file }) => file.file_path as string)));
    const useless = uselessDeletes(version, VersionDeletes.over(context.storage, metadata, version.deletes), removed);
    if (onMain.length !== before || useless.symmetricDifference(removedDeletes).size > 0) cache.forgetWritten();
    removedDeletes = useless;
    const underThem = (await tags?.plan(metadata)) ?? new Set<T>();
    made = exchanges.filter((each) => onMain.includes(each) || underThem.has(each));
    const none = { kind: "done", result: { snapshotId: null, kept: [], attempts: attempt } } as const;
    if (made.length === 0) return none;
    const draft = new TableDraft(context.io, metadata);
    const said = await summary(made);
    let snapshotId: bigint | null = null;
    if (onMain.length > 0) {
      const files = { removed, removedDeletes, added: onMain.flatMap(({ added }) => added), cache };
      const nowMs = context.clock.now();
      const replaced = await draft.replace({ snapshotId: id, parent: draft.main, branch: "main", files, summary: said, nowMs });
      if (replaced === null) return none;
      snapshotId = id;
    }
    await tags?.draft(draft, said);
    const drafts = table === "promoted" ? ([draft, null] as const) : ([null, draft] as const);
    return { kind: "change", drafts, result: { snapshotId: snapshotId ?? tags?.snapshotIds[0] ?? null, kept: made, attempts: attempt } };
  });
}

/** Deletes new files that took no one's place: surely nothing names them. */
export async function discardExchanges(context: LakeContext, exchanges: readonly Exchange[]): Promise<void> {
  for (const { file } of exchanges.flatMap(({ added }) => added))
    await context.storage.delete(pathOfUri(context.storage, file.file_path as string));
}
