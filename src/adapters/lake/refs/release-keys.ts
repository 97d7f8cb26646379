import type { Claims } from "../../../core/claims.ts";
import type { Rollback } from "../../../core/lake-refs.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { propertyNames } from "../table-properties.ts";
import { isIn, parseRanges, readRollbacks, writeRollbacks } from "./rollback-records.ts";
import { isOwnCommit } from "./version-line.ts";
import { versionWindows } from "./version-windows.ts";

function settled(rollback: Rollback): Rollback {
  const { keysPending: _pending, ...rest } = rollback;
  return rest;
}

/** See `LakeRefs.releasePending`. Only once no reader sees the rows: whoever claims a key from then on may be promoted. */
export async function releasePending(context: LakeContext, claims: Claims, dataset: string): Promise<readonly Rollback[]> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const pending = readRollbacks(metadata.properties).filter((each) => each.keysPending === true);
  if (pending.length === 0) return [];
  const commits = (await Array.fromAsync(everySnapshot(context.content, metadata, -1n))).filter(isOwnCommit);
  for (const { sequences } of pending) {
    const ranges = parseRanges(sequences);
    const windows = await versionWindows(
      context,
      commits.filter((each) => isIn(ranges, each["sequence-number"])),
    );
    for (const { decision } of windows) await claims.release(dataset, decision.ranges);
  }
  const ids = new Set(pending.map((each) => each.id));
  await commitUntilSettled<undefined>(context, dataset, (tables) => {
    const standing = readRollbacks(tables.promoted.metadata.properties);
    if (!standing.some((each) => ids.has(each.id) && each.keysPending === true))
      return Promise.resolve({ kind: "done", result: undefined });
    const draft = new TableDraft(context.io, tables.promoted.metadata);
    const next = standing.map((each) => (ids.has(each.id) ? settled(each) : each));
    draft.update({ action: "set-properties", updates: { [propertyNames.withdrawn]: writeRollbacks(next) } });
    return Promise.resolve({ kind: "change", drafts: [draft, null], result: undefined });
  });
  return pending.map(settled);
}
