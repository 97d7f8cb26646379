import type { DriftRebase } from "../../core/drift.ts";
import type { Lake } from "../../core/ports.ts";
import { commitUntilSettled } from "./commit-loop.ts";
import type { LakeContext } from "./lake-context.ts";
import { sequenceBefore } from "./maintenance/sequence-before.ts";
import { draftChange } from "./state-change.ts";
import { propertyNames, readDriftRebase, writeDriftRebase } from "./table-properties.ts";

/** Makes the newest windows the baseline of drift; see `Lake.rebaseDrift`. */
export function rebaseDrift(context: LakeContext, dataset: string, change: Parameters<Lake["rebaseDrift"]>[1]): Promise<DriftRebase> {
  const { windows, author, reason } = change;
  const id = context.snapshotId();
  return commitUntilSettled<DriftRebase>(context, dataset, async (tables) => {
    const { metadata } = tables.promoted;
    const stood = readDriftRebase(metadata.properties);
    if (stood !== null && metadata.snapshots.some((snapshot) => snapshot["snapshot-id"] === id)) return { kind: "done", result: stood };
    const after = await sequenceBefore(context, dataset, windows);
    const rebase = { after, until: metadata["last-sequence-number"], windows, atMs: context.clock.now(), author, reason };
    const draft = await draftChange(context, tables, {
      change: "rebase",
      snapshotId: id,
      author,
      reason,
      detail: { windows, after, until: rebase.until },
      properties: { [propertyNames.driftRebase]: writeDriftRebase(rebase) },
    });
    return { kind: "change", drafts: [draft, null], result: rebase };
  });
}
